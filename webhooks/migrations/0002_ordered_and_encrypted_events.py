"""Number the events of an owner, and encrypt the bodies of events."""

from collections.abc import Callable
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.db.crypto

_BATCH = 50
_CONTEXT = "webhooks.webhookevent.body"


def rewritten(change: Callable[[str], str]) -> Callable[[Any, Any], None]:
    """Return a step that changes every body, while the column is still one of plain text."""

    def rewrite(apps: Any, schema_editor: Any) -> None:
        model = apps.get_model("webhooks", "WebhookEvent")
        rows = model.objects.using(schema_editor.connection.alias).order_by("pk")
        rows, last = rows.only("pk", "body"), 0
        while batch := list(rows.filter(pk__gt=last)[:_BATCH]):
            for event in batch:
                event.body = change(event.body)
            rows.bulk_update(batch, ["body"])
            last = batch[-1].pk

    return rewrite


def encrypt(text: str) -> str:
    return core.db.crypto.encrypt(text, context=_CONTEXT)


def decrypt(text: str) -> str:
    return core.db.crypto.decrypt(text, context=_CONTEXT)


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OwnerCounter",
            fields=[
                (
                    "owner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("last", models.PositiveBigIntegerField()),
            ],
            options={
                "verbose_name": "counter of webhook events",
                "verbose_name_plural": "counters of webhook events",
            },
        ),
        migrations.RunPython(rewritten(encrypt), rewritten(decrypt)),
        migrations.AlterField(
            model_name="webhookevent",
            name="body",
            field=core.db.crypto.EncryptedTextField(verbose_name="body"),
        ),
    ]
