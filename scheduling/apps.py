from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_save


class SchedulingConfig(AppConfig):
    name = "scheduling"

    def ready(self) -> None:
        from scheduling.messages import (  # noqa: F401  they register
            choices,
            hold_letters,
            letters,
            outside,
        )

        post_save.connect(_open_hours, sender=settings.AUTH_USER_MODEL)


def _open_hours(*, instance: Any, created: bool, raw: bool, **_: Any) -> None:
    """Create the hours of a new account. The accounts app cannot know of them."""
    from scheduling.domain import services

    if created and not raw:
        services.open_hours(user=instance)
