"""Links to join, metadata, and what a booking shows of the newest entry of its history."""

from datetime import UTC, datetime
from typing import Any

from django.db import migrations, models
from django.db.models import Exists, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def keep_last_changes(apps: Any, schema_editor: Any) -> None:
    """Copy the newest entry, and the time before the last reschedule, from the history."""
    using = schema_editor.connection.alias
    bookings = apps.get_model("scheduling", "Booking").objects.using(using)
    entries = apps.get_model("scheduling", "HistoryEntry").objects.using(using)
    newest_first = entries.order_by("-sequence")

    def newest(column: str) -> Subquery:
        return Subquery(newest_first.filter(booking=OuterRef("pk")).values(column)[:1])

    bookings.update(
        last_change=Coalesce(newest("change"), Value("created")),
        last_by=Coalesce(newest("role"), Value("invitee")),
        last_reason=Coalesce(newest("reason"), Value("")),
        last_at=Coalesce(newest("at"), F("created_at")),
    )
    moves = newest_first.filter(booking=OuterRef("pk"), change="rescheduled")
    earlier = newest_first.filter(
        booking=OuterRef("booking"), sequence__lt=OuterRef("sequence")
    )

    def before(column: str) -> Subquery:
        found = moves.annotate(before=Subquery(earlier.values(column)[:1]))
        return Subquery(found.values("before")[:1])

    moved = bookings.filter(Exists(moves))
    moved.update(previous_start=before("start"), previous_end=before("end"))


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="eventtype",
            name="location_link",
            field=models.CharField(blank=True, max_length=1000, verbose_name="link to join"),
        ),
        migrations.AddField(
            model_name="booking",
            name="join_url",
            field=models.CharField(blank=True, max_length=1000, verbose_name="link to join"),
        ),
        migrations.AddField(
            model_name="booking",
            name="metadata",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="booking",
            name="last_change",
            field=models.CharField(
                choices=[
                    ("created", "created"),
                    ("confirmed", "confirmed"),
                    ("rejected", "rejected"),
                    ("cancelled", "cancelled"),
                    ("rescheduled", "rescheduled"),
                    ("expired", "expired"),
                    ("completed", "completed"),
                ],
                default="created",
                editable=False,
                max_length=12,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="booking",
            name="last_by",
            field=models.CharField(
                choices=[
                    ("host", "host"),
                    ("invitee", "invitee"),
                    ("staff", "staff"),
                    ("clock", "time"),
                ],
                default="invitee",
                editable=False,
                max_length=10,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="booking",
            name="last_reason",
            field=models.CharField(blank=True, editable=False, max_length=500),
        ),
        migrations.AddField(
            model_name="booking",
            name="last_at",
            field=models.DateTimeField(default=_LONG_AGO, editable=False),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="booking",
            name="previous_start",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="booking",
            name="previous_end",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunPython(keep_last_changes, migrations.RunPython.noop),
    ]
