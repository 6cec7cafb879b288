import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.db.crypto
import notifications.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PushDevice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token", core.db.crypto.EncryptedTextField(verbose_name="registration token")),
                (
                    "digest",
                    core.db.crypto.DigestField(
                        editable=False, max_length=64, of="token", unique=True
                    ),
                ),
                (
                    "platform",
                    models.CharField(
                        choices=[("android", "Android"), ("ios", "iOS"), ("web", "Web")],
                        max_length=10,
                        verbose_name="platform",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=120, verbose_name="name")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="devices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "push device",
                "verbose_name_plural": "push devices",
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="waiting",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("due_at", models.DateTimeField(verbose_name="due")),
                ("lease", models.CharField(blank=True, editable=False, max_length=22)),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                ("last_error", models.CharField(blank=True, editable=False, max_length=200)),
                ("created_at", models.DateTimeField(editable=False)),
                ("settled_at", models.DateTimeField(editable=False, null=True)),
                (
                    "message_id",
                    models.CharField(
                        default=notifications.models.new_message_id,
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "email"), ("push", "push message")],
                        max_length=10,
                        verbose_name="channel",
                    ),
                ),
                ("address", models.CharField(max_length=320, verbose_name="address")),
                ("kind", models.CharField(max_length=60, verbose_name="kind")),
                ("topic", models.CharField(blank=True, max_length=120, verbose_name="topic")),
                ("content", core.db.crypto.EncryptedTextField()),
                (
                    "about",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "notification",
                "verbose_name_plural": "notifications",
                "ordering": ("-id",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        models.F("due_at"),
                        models.F("id"),
                        condition=models.Q(("state", "waiting")),
                        name="notification_due",
                    ),
                    models.Index(fields=["topic"], name="notification_topic"),
                    models.Index(fields=["settled_at"], name="notification_settled"),
                ],
            },
        ),
    ]
