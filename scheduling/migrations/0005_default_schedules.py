"""Weekly hours become the default schedule of their host, with a name in the host's language."""

from typing import Any

from django.conf import settings
from django.db import migrations
from django.utils import translation
from django.utils.translation import gettext

from core.db.ids import public_id

_BATCH = 1_000


def _name_hours(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    Schedule = apps.get_model("scheduling", "Schedule")
    weekly = apps.get_model("scheduling", "WeeklyAvailability").objects.using(alias)
    names = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            names[language] = gettext("Working hours")
    without = weekly.filter(default=None).select_related("user")
    while rows := list(without.order_by("pk")[:_BATCH]):
        for row in rows:
            name = names.get(row.user.language, names[settings.LANGUAGE_CODE])
            row.default = Schedule(
                uuid=public_id("sch"), user=row.user, name=name, days=row.days
            )
        Schedule.objects.using(alias).bulk_create(row.default for row in rows)
        weekly.bulk_update(rows, ["default"])


def _forget_names(apps: Any, schema_editor: Any) -> None:
    """Keep the default hours only."""
    alias = schema_editor.connection.alias
    weekly = apps.get_model("scheduling", "WeeklyAvailability").objects.using(alias)
    for row in weekly.select_related("default").iterator(_BATCH):
        row.days = row.default.days
        row.save(update_fields=["days"])
    apps.get_model("scheduling", "EventType").objects.using(alias).update(schedule=None)
    weekly.update(default=None)
    apps.get_model("scheduling", "Schedule").objects.using(alias).all().delete()


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0004_schedules")]

    operations = [migrations.RunPython(_name_hours, _forget_names)]
