from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class CalendarsConfig(AppConfig):
    name = "calendars"

    def ready(self) -> None:
        from calendars.messages import letters  # noqa: F401  it registers its kinds

        post_migrate.connect(_keep_triggers, sender=self)


def _keep_triggers(*, using: str, **_: Any) -> None:
    from calendars.domain import overlap

    connection = connections[using]
    if connection.vendor == "sqlite" and (
        "calendars_busytime" in connection.introspection.table_names()
    ):
        overlap.install_triggers(connection)
