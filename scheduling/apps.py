from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import connections
from django.db.models.signals import post_migrate, post_save


class SchedulingConfig(AppConfig):
    name = "scheduling"

    def ready(self) -> None:
        post_migrate.connect(_keep_triggers, sender=self)
        post_save.connect(_open_hours, sender=settings.AUTH_USER_MODEL)


def _keep_triggers(*, using: str, **_: Any) -> None:
    from scheduling import overlap

    connection = connections[using]
    if connection.vendor == "sqlite" and (
        "scheduling_busytime" in connection.introspection.table_names()
    ):
        overlap.install_triggers(connection)


def _open_hours(*, instance: Any, created: bool, raw: bool, **_: Any) -> None:
    """Whoever makes an account, it has hours: the floor of accounts cannot know of them."""
    from scheduling import services

    if created and not raw:
        services.open_hours(user=instance)
