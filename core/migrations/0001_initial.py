import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.db.crypto


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="KeyCanary",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("content", core.db.crypto.EncryptedTextField(default="canary", editable=False)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="one_key_canary")
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("method", models.CharField(max_length=10)),
                ("path", models.CharField(max_length=200)),
                ("key", models.CharField(max_length=255)),
                ("body_digest", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField(default=0)),
                ("answer", core.db.crypto.EncryptedTextField(default="")),
                ("topic", models.CharField(blank=True, max_length=120)),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["topic"], name="idempotency_topic"),
                    models.Index(fields=["created_at"], name="idempotency_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "method", "path", "key"), name="idempotency_once"
                    )
                ],
            },
        ),
    ]
