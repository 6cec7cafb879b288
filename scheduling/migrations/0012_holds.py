"""Event types whose invitees confirm their address first, and the holds of such bookings."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.db.crypto


class Migration(migrations.Migration):
    dependencies = [
        ("calendars", "0003_indexes_of_operation"),
        ("scheduling", "0011_no_show"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "eventtype",
            "confirm_email",
            models.BooleanField(
                db_default=False, default=False, verbose_name="invitees confirm their address"
            ),
        ),
        migrations.CreateModel(
            "Hold",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("start", models.DateTimeField(verbose_name="start")),
                ("end", models.DateTimeField(verbose_name="end")),
                ("mailbox", models.CharField(editable=False, max_length=32)),
                ("token_digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("facts", core.db.crypto.EncryptedTextField(default="", editable=False)),
                (
                    "is_waiting",
                    models.BooleanField(
                        default=True, editable=False, verbose_name="waits to be confirmed"
                    ),
                ),
                ("created_at", models.DateTimeField(editable=False)),
                ("expires_at", models.DateTimeField(editable=False, verbose_name="expires")),
                (
                    "booking",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="hold",
                        to="scheduling.booking",
                    ),
                ),
                (
                    "busy_time",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="hold",
                        to="calendars.busytime",
                    ),
                ),
                (
                    "event_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holds",
                        to="scheduling.eventtype",
                    ),
                ),
                (
                    "host",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "hold",
                "verbose_name_plural": "holds",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["mailbox", "created_at"], name="hold_by_mailbox"),
                    models.Index(fields=["host", "expires_at"], name="hold_by_host"),
                    models.Index(
                        condition=models.Q(is_waiting=True),
                        fields=["expires_at"],
                        name="hold_unswept",
                    ),
                    models.Index(
                        condition=models.Q(is_waiting=False),
                        fields=["created_at"],
                        name="hold_swept",
                    ),
                ],
            },
        ),
    ]
