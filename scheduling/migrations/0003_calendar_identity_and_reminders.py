"""Event types have reminders. Calendar objects keep the UID and the organizer that they had: those of the present settings."""

from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Concat

import scheduling.models.event_types
import scheduling.models.lifecycle


def _keep(apps: Any, schema_editor: Any) -> None:
    rows = apps.get_model("scheduling", "Booking").objects.all()
    rows.update(calendar_uid=Concat("uuid", Value(f"@{settings.PUBLIC_HOST}")))


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0002_links_metadata_and_last_change")]

    operations = [
        migrations.AddField(
            "booking",
            "calendar_uid",
            models.CharField(default="", editable=False, max_length=320),
            preserve_default=False,
        ),
        migrations.AddField(
            "booking",
            "organizer",
            models.CharField(
                default=scheduling.models.lifecycle.sender_address, editable=False, max_length=320
            ),
        ),
        migrations.AddField(
            "booking", "undelivered_at", models.DateTimeField(editable=False, null=True)
        ),
        migrations.AddField(
            "eventtype",
            "reminders",
            models.JSONField(
                blank=True,
                default=scheduling.models.event_types.usual_reminders,
                validators=[scheduling.models.event_types.validate_reminders],
                verbose_name="reminders",
            ),
        ),
        migrations.RunPython(_keep, migrations.RunPython.noop, elidable=True),
    ]
