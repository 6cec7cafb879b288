"""Guests of bookings."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Lower

import core.text.mailboxes


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0009_durations")]

    operations = [
        migrations.CreateModel(
            "Guest",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="email address")),
                (
                    "mailbox",
                    core.text.mailboxes.MailboxField(editable=False, max_length=32, of="email"),
                ),
                ("created_at", models.DateTimeField(editable=False)),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="guests",
                        to="scheduling.booking",
                    ),
                ),
            ],
            options={
                "verbose_name": "guest",
                "verbose_name_plural": "guests",
                "ordering": ("id",),
                "indexes": [
                    models.Index(fields=["mailbox", "created_at"], name="booking_guest_by_mailbox"),
                    models.Index(
                        condition=models.Q(email=""),
                        fields=["created_at"],
                        name="booking_guest_erased",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        "booking",
                        Lower("email"),
                        condition=~models.Q(email=""),
                        name="booking_guest_once",
                    )
                ],
            },
        ),
    ]
