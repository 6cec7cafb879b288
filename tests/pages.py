"""What tests of pages share."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any, Protocol
from uuid import uuid4

from django.apps import apps
from pytest_django import Settings

from meetings.models import MeetingRequest

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)

Ask = Callable[..., MeetingRequest]


class Answer(Protocol):
    """What Django's client answers."""

    @property
    def content(self) -> bytes: ...


def stand_alone(settings: Settings) -> None:
    """Rate limits that start anew, and addresses of static files that were never collected."""
    settings.CACHES = {
        name: {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": uuid4().hex,
            "OPTIONS": settings.CACHE_BOUNDS,
        }
        for name in ("default", "pages")
    }
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def main(page: Answer) -> str:
    """The HTML of a page's main part."""
    _before, _tag, content = page.content.decode().partition("<main")
    content, _tag, _after = content.partition("</main>")
    return f"<main{content}"


def content(page: Any) -> bytes:
    """All of an answer, also of one that is streamed: that is there to be read once."""
    return b"".join(page.streaming_content) if page.streaming else page.content


def words(page: Answer) -> str:
    """The text of a page's main part, as it is read."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main(page))).split())


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
    }
