import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("calendars", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DayCounter",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("last", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="MeetingRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("start", models.DateTimeField(verbose_name="start")),
                ("end", models.DateTimeField(verbose_name="end")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("confirmed", "confirmed"),
                            ("rejected", "rejected"),
                            ("cancelled", "cancelled"),
                            ("expired", "expired"),
                            ("completed", "completed"),
                        ],
                        default="pending",
                        editable=False,
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("sequence", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "booking_number",
                    models.CharField(
                        editable=False, max_length=30, unique=True, verbose_name="number"
                    ),
                ),
                ("timezone", models.CharField(max_length=64, verbose_name="time zone")),
                ("link", models.URLField(blank=True, max_length=1000, verbose_name="meeting link")),
                (
                    "busy_times",
                    models.ManyToManyField(
                        editable=False, related_name="+", to="calendars.busytime"
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="meetings_received",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="to",
                    ),
                ),
                (
                    "requester",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="meetings_asked",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="from",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="meetings",
                        to="accounts.team",
                    ),
                ),
            ],
            options={
                "verbose_name": "meeting request",
                "verbose_name_plural": "meeting requests",
                "ordering": ("start", "id"),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="HistoryEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sequence", models.PositiveIntegerField()),
                (
                    "change",
                    models.CharField(
                        choices=[
                            ("created", "created"),
                            ("confirmed", "confirmed"),
                            ("rejected", "rejected"),
                            ("cancelled", "cancelled"),
                            ("rescheduled", "rescheduled"),
                            ("expired", "expired"),
                            ("completed", "completed"),
                        ],
                        max_length=12,
                        verbose_name="change",
                    ),
                ),
                (
                    "from_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("pending", "pending"),
                            ("confirmed", "confirmed"),
                            ("rejected", "rejected"),
                            ("cancelled", "cancelled"),
                            ("expired", "expired"),
                            ("completed", "completed"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "to_status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("confirmed", "confirmed"),
                            ("rejected", "rejected"),
                            ("cancelled", "cancelled"),
                            ("expired", "expired"),
                            ("completed", "completed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("start", models.DateTimeField(verbose_name="start")),
                ("end", models.DateTimeField(verbose_name="end")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("at", models.DateTimeField()),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("requester", "requester"),
                            ("recipient", "recipient"),
                            ("staff", "staff"),
                            ("team", "team"),
                            ("clock", "time"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "meeting",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="history",
                        to="meetings.meetingrequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "history entry",
                "verbose_name_plural": "history",
                "ordering": ("sequence",),
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="meetingrequest",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["start"],
                name="meetingrequest_pending",
            ),
        ),
        migrations.AddIndex(
            model_name="meetingrequest",
            index=models.Index(
                condition=models.Q(("status", "confirmed")),
                fields=["end"],
                name="meetingrequest_confirmed",
            ),
        ),
        migrations.AddIndex(
            model_name="meetingrequest",
            index=models.Index(fields=["recipient", "status", "start"], name="meeting_received"),
        ),
        migrations.AddIndex(
            model_name="meetingrequest",
            index=models.Index(fields=["requester", "status", "start"], name="meeting_asked"),
        ),
        migrations.AddIndex(
            model_name="meetingrequest",
            index=models.Index(
                fields=["requester", "recipient", "created_at"], name="meeting_between"
            ),
        ),
        migrations.AddConstraint(
            model_name="meetingrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("end__gt", models.F("start"))), name="meetingrequest_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="meetingrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["pending", "confirmed", "rejected", "cancelled", "expired", "completed"],
                    )
                ),
                name="meetingrequest_known_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="meetingrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("requester", models.F("recipient")), _negated=True),
                name="meeting_not_with_oneself",
                violation_error_message="You cannot ask yourself for a meeting.",
            ),
        ),
        migrations.AddIndex(
            model_name="historyentry",
            index=models.Index(fields=["at"], name="meetings_history_age"),
        ),
        migrations.AddConstraint(
            model_name="historyentry",
            constraint=models.UniqueConstraint(
                fields=("meeting", "sequence"), name="meeting_history_sequence_once"
            ),
        ),
    ]
