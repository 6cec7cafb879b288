import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.db.crypto
import core.text.lines
import webhooks.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Webhook",
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
                        default=webhooks.models.new_webhook_uuid,
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=120,
                        validators=[core.text.lines.validate_line],
                        verbose_name="name",
                    ),
                ),
                ("url", models.CharField(max_length=2000, verbose_name="address")),
                ("events", models.JSONField(default=list, verbose_name="events")),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("inactive", "inactive")],
                        default="active",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "disabled_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("gone", "the endpoint answered 410 Gone"),
                            ("failing", "nothing was delivered for five days"),
                        ],
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("secret", core.db.crypto.EncryptedTextField()),
                ("previous_secret", core.db.crypto.EncryptedTextField(blank=True, default="")),
                ("previous_secret_until", models.DateTimeField(editable=False, null=True)),
                ("sealed_headers", core.db.crypto.EncryptedTextField(default="{}")),
                (
                    "timeout_seconds",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(30),
                        ],
                        verbose_name="timeout in seconds",
                    ),
                ),
                (
                    "max_retries",
                    models.PositiveSmallIntegerField(
                        default=3,
                        validators=[django.core.validators.MaxValueValidator(9)],
                        verbose_name="retries",
                    ),
                ),
                (
                    "verify_ssl",
                    models.BooleanField(default=True, verbose_name="check certificates"),
                ),
                ("failing_since", models.DateTimeField(editable=False, null=True)),
                ("is_prompt", models.BooleanField(default=False, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhooks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "message_id",
                    models.CharField(
                        default=webhooks.models.new_message_id,
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                ("type", models.CharField(max_length=40, verbose_name="type")),
                ("body", models.TextField(verbose_name="body")),
                ("topic", models.CharField(blank=True, max_length=120, verbose_name="topic")),
                ("created_at", models.DateTimeField()),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhook_events",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook event",
                "verbose_name_plural": "webhook events",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Delivery",
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
                    "uuid",
                    models.CharField(
                        default=webhooks.models.new_delivery_uuid,
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="webhooks.webhook",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="webhooks.webhookevent",
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery",
                "verbose_name_plural": "deliveries",
                "ordering": ("-id",),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="sent")),
                ("succeeded", models.BooleanField(verbose_name="succeeded")),
                ("error", models.CharField(blank=True, max_length=40, verbose_name="error")),
                (
                    "response_code",
                    models.PositiveSmallIntegerField(null=True, verbose_name="answer"),
                ),
                ("response_time_ms", models.PositiveIntegerField(verbose_name="milliseconds")),
                ("response_body", models.TextField(blank=True, verbose_name="body of the answer")),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempt_rows",
                        to="webhooks.delivery",
                    ),
                ),
            ],
            options={
                "verbose_name": "attempt",
                "verbose_name_plural": "attempts",
                "ordering": ("id",),
                "indexes": [models.Index(fields=["at"], name="attempt_age")],
            },
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(fields=["topic"], name="webhook_event_topic"),
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(fields=["created_at"], name="webhook_event_age"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                models.F("due_at"),
                models.F("id"),
                condition=models.Q(("state", "waiting")),
                name="delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["state", "webhook", "created_at"], name="delivery_of_webhook"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["settled_at"], name="delivery_settled"),
        ),
    ]
