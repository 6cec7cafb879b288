from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.text.lines
import core.text.mailboxes
import core.text.names
import core.text.zones
import scheduling.models.bookings
import scheduling.models.event_types
import scheduling.rules.hours


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("calendars", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EventType",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "uuid",
                    models.CharField(
                        default=scheduling.models.event_types.new_event_type_uuid,
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=120,
                        validators=[core.text.lines.validate_line, core.text.names.validate_title],
                        verbose_name="name",
                    ),
                ),
                (
                    "slug",
                    models.CharField(
                        max_length=80,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9]+(-[a-z0-9]+)*\\Z", "Use a-z, 0-9 and single hyphens."
                            )
                        ],
                        verbose_name="address",
                    ),
                ),
                (
                    "description",
                    models.TextField(blank=True, max_length=5000, verbose_name="description"),
                ),
                (
                    "color",
                    models.CharField(
                        default="#4F46E5",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^#[0-9A-Fa-f]{6}\\Z", "Use a color such as #4F46E5."
                            )
                        ],
                        verbose_name="color",
                    ),
                ),
                (
                    "duration",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(15),
                            django.core.validators.MaxValueValidator(480),
                        ],
                        verbose_name="duration in minutes",
                    ),
                ),
                (
                    "location",
                    models.CharField(
                        choices=[
                            ("zoom_meeting", "Zoom Call"),
                            ("google_meet", "Google Meet"),
                            ("phone_call", "Phone Call"),
                            ("in_person", "In Person"),
                            ("custom", "Custom"),
                        ],
                        default="zoom_meeting",
                        max_length=20,
                        verbose_name="location",
                    ),
                ),
                (
                    "location_custom",
                    models.CharField(
                        blank=True, max_length=500, verbose_name="where, or how to get there"
                    ),
                ),
                (
                    "timezone",
                    models.CharField(
                        default="UTC",
                        max_length=64,
                        validators=[core.text.zones.validate_zone],
                        verbose_name="time zone",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "requires_approval",
                    models.BooleanField(default=False, verbose_name="requires approval"),
                ),
                (
                    "buffer_time_before",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[django.core.validators.MaxValueValidator(1440)],
                        verbose_name="buffer before, in minutes",
                    ),
                ),
                (
                    "buffer_time_after",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[django.core.validators.MaxValueValidator(1440)],
                        verbose_name="buffer after, in minutes",
                    ),
                ),
                (
                    "min_advance_booking",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[django.core.validators.MaxValueValidator(8760)],
                        verbose_name="notice in hours",
                    ),
                ),
                (
                    "max_advance_booking",
                    models.PositiveSmallIntegerField(
                        default=60,
                        validators=[django.core.validators.MaxValueValidator(730)],
                        verbose_name="horizon in days",
                    ),
                ),
                (
                    "available_days",
                    models.JSONField(
                        default=scheduling.models.event_types.every_day,
                        verbose_name="available days",
                    ),
                ),
                (
                    "slot_interval",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                        verbose_name="distance of starts in minutes",
                    ),
                ),
                (
                    "daily_limit",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                        verbose_name="bookings a day",
                    ),
                ),
                (
                    "price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=10,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="price",
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        default="USD",
                        max_length=3,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z]{3}\\Z", "Use a code such as USD (ISO 4217)."
                            )
                        ],
                        verbose_name="currency",
                    ),
                ),
                (
                    "payment_method",
                    models.CharField(
                        blank=True,
                        choices=[("on_site", "on site"), ("invoice", "by invoice")],
                        max_length=10,
                        verbose_name="paid",
                    ),
                ),
                (
                    "custom_fields",
                    models.JSONField(blank=True, default=list, verbose_name="custom fields"),
                ),
                (
                    "sort_order",
                    models.SmallIntegerField(
                        default=0,
                        validators=[
                            django.core.validators.MinValueValidator(-1000),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                        verbose_name="position",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "host",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="event_types",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "event type",
                "verbose_name_plural": "event types",
                "ordering": ("sort_order", "id"),
            },
        ),
        migrations.CreateModel(
            name="Booking",
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
                    "uuid",
                    models.CharField(
                        default=scheduling.models.bookings.new_booking_uuid,
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                ("invitee_name", models.CharField(max_length=200, verbose_name="invitee")),
                (
                    "invitee_email",
                    models.EmailField(max_length=254, verbose_name="invitee's email address"),
                ),
                (
                    "invitee_mailbox",
                    core.text.mailboxes.MailboxField(
                        default="", editable=False, max_length=32, of="invitee_email"
                    ),
                ),
                (
                    "invitee_phone",
                    models.CharField(blank=True, max_length=40, verbose_name="phone"),
                ),
                (
                    "timezone",
                    models.CharField(
                        max_length=64,
                        validators=[core.text.zones.validate_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("en", "English"),
                            ("de", "Deutsch"),
                            ("fr", "Français"),
                            ("es", "Español"),
                        ],
                        editable=False,
                        max_length=5,
                        verbose_name="language",
                    ),
                ),
                (
                    "time_format",
                    models.CharField(
                        choices=[("hh:mm a", "hh:mm a"), ("HH:mm", "HH:mm")],
                        default="HH:mm",
                        editable=False,
                        max_length=20,
                    ),
                ),
                ("notes", models.TextField(blank=True, max_length=5000, verbose_name="notes")),
                (
                    "custom_field_values",
                    models.JSONField(blank=True, default=dict, verbose_name="answers"),
                ),
                (
                    "made_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("host", "host"),
                            ("invitee", "invitee"),
                            ("staff", "staff"),
                            ("clock", "time"),
                        ],
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("erased_at", models.DateTimeField(editable=False, null=True)),
                (
                    "busy_time",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="booking",
                        to="calendars.busytime",
                    ),
                ),
                (
                    "host",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bookings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "event_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bookings",
                        to="scheduling.eventtype",
                    ),
                ),
            ],
            options={
                "verbose_name": "booking",
                "verbose_name_plural": "bookings",
                "ordering": ("start", "id"),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="FormerSlug",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.CharField(max_length=80)),
                ("given_up_at", models.DateTimeField(auto_now_add=True, db_index=True)),
                (
                    "event_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_slugs",
                        to="scheduling.eventtype",
                    ),
                ),
                (
                    "host",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "former address",
                "verbose_name_plural": "former addresses",
                "ordering": ("-given_up_at", "-id"),
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
                            ("host", "host"),
                            ("invitee", "invitee"),
                            ("staff", "staff"),
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
                    "booking",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="history",
                        to="scheduling.booking",
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
        migrations.CreateModel(
            name="WeeklyAvailability",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "timezone",
                    models.CharField(
                        max_length=64,
                        validators=[core.text.zones.validate_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "days",
                    models.JSONField(
                        default=scheduling.rules.hours.usual_week, verbose_name="days"
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="weekly_availability",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "weekly availability",
                "verbose_name_plural": "weekly availability",
            },
        ),
        migrations.CreateModel(
            name="DateOverride",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date", models.DateField(verbose_name="date")),
                ("windows", models.JSONField(blank=True, default=list, verbose_name="windows")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="date_overrides",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "date override",
                "verbose_name_plural": "date overrides",
                "ordering": ("date",),
                "constraints": [
                    models.UniqueConstraint(fields=("user", "date"), name="date_override_once")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="eventtype",
            constraint=models.UniqueConstraint(
                fields=("host", "slug"),
                name="event_type_slug_once",
                violation_error_message="You have an event type with this address already.",
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["start"], name="booking_pending"
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("status", "confirmed")),
                fields=["end"],
                name="booking_confirmed",
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["host", "status", "start"], name="booking_hosted"),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["host", "start", "id"], name="booking_hosted_by_time"),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                fields=["host", "updated_at", "id"], name="booking_hosted_by_change"
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("erased_at", None)), fields=["end"], name="booking_unerased"
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["invitee_mailbox", "created_at"], name="booking_by_mailbox"),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(
                    ("erased_at__isnull", False), models.Q(("invitee_mailbox", ""), _negated=True)
                ),
                fields=["created_at"],
                name="booking_erased_mailbox",
            ),
        ),
        migrations.AddConstraint(
            model_name="booking",
            constraint=models.CheckConstraint(
                condition=models.Q(("end__gt", models.F("start"))), name="booking_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="booking",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["pending", "confirmed", "rejected", "cancelled", "expired", "completed"],
                    )
                ),
                name="booking_known_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="formerslug",
            constraint=models.UniqueConstraint(fields=("host", "slug"), name="former_slug_once"),
        ),
        migrations.AddIndex(
            model_name="historyentry",
            index=models.Index(fields=["at"], name="scheduling_history_age"),
        ),
        migrations.AddConstraint(
            model_name="historyentry",
            constraint=models.UniqueConstraint(
                fields=("booking", "sequence"), name="booking_history_sequence_once"
            ),
        ),
    ]
