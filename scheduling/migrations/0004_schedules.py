"""Hosts have schedules with names. Event types follow one of them."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import core.text.lines
import scheduling.models.hours
import scheduling.rules.hours


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("scheduling", "0003_calendar_identity_and_reminders"),
    ]

    operations = [
        migrations.CreateModel(
            name="Schedule",
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
                        default=scheduling.models.hours.new_schedule_uuid,
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=60,
                        validators=[core.text.lines.validate_line],
                        verbose_name="name",
                    ),
                ),
                (
                    "days",
                    models.JSONField(
                        default=scheduling.rules.hours.usual_week, verbose_name="days"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="schedules",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "schedule",
                "verbose_name_plural": "schedules",
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(
                        models.F("user"),
                        django.db.models.functions.text.Lower("name"),
                        name="schedule_name_once",
                    )
                ],
            },
        ),
        migrations.AddField(
            "eventtype",
            "schedule",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="event_types",
                to="scheduling.schedule",
                verbose_name="schedule",
            ),
        ),
        # Filled by the next migration, and required by the one after it: PostgreSQL does not alter
        # a table in the transaction that has written to it.
        migrations.AddField(
            "weeklyavailability",
            "default",
            models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="scheduling.schedule",
                verbose_name="default schedule",
            ),
        ),
    ]
