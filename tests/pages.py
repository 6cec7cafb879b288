"""Helpers for tests of pages."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from html import unescape
from typing import Any, Protocol
from uuid import uuid4

from django.apps import apps
from django.conf import settings as configured
from django.db import connection
from pytest_django import Settings

from core.db.crypto import Ciphertext
from meetings.models import MeetingRequest

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
# What is said of a name that nobody can see the whole of.
UNSEEN = "May not hold line breaks, control characters or invisible characters."

Ask = Callable[..., MeetingRequest]
Making = Callable[..., AbstractContextManager[None]]


class Answer(Protocol):
    """Answer of Django's test client."""

    @property
    def content(self) -> bytes: ...


def standing_alone() -> dict[str, Any]:
    """Return settings with fresh rate limits, and with static URLs that need no collected files."""
    return {
        "CACHES": {
            name: {
                "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                "LOCATION": uuid4().hex,
                "OPTIONS": configured.CACHE_BOUNDS,
            }
            for name in ("default", "pages")
        },
        "STORAGES": configured.STORAGES
        | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
    }


def stand_alone(settings: Settings) -> None:
    """Give a test the settings of `standing_alone`."""
    for name, value in standing_alone().items():
        setattr(settings, name, value)


def main(page: Answer) -> str:
    """Return the HTML of a page's main part."""
    _before, _tag, content = page.content.decode().partition("<main")
    content, _tag, _after = content.partition("</main>")
    return f"<main{content}"


def content(page: Any) -> bytes:
    """Return the whole body of an answer. A streamed body can be read only once."""
    return b"".join(page.streaming_content) if page.streaming else page.content


class Shown(Protocol):
    """Answer of Django's test client that a template has made."""

    @property
    def context(self) -> Any: ...


def cards(page: Shown) -> list[Any]:
    """Return the cards of a list that is shown day by day, in their order."""
    return [row.card for day in page.context["days"] for row, _time in day.rows]


def words(page: Answer) -> str:
    """Return the text of a page's main part, as a reader sees it."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main(page))).split())


def everything() -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables as stored. A comparison of two results shows any write."""
    stored = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            options = model._meta
            cursor.execute(f'SELECT * FROM "{options.db_table}" ORDER BY "{options.pk.column}"')
            columns = [column[0] for column in cursor.description or ()]
            stored[options.label] = [dict(zip(columns, row, strict=True)) for row in cursor]
    return stored


def readable() -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables as the models read them, decrypted for a search of texts."""
    return {
        model._meta.label: [
            {name: value.open() if isinstance(value, Ciphertext) else value for name, value in row}
            for row in map(dict.items, model._base_manager.order_by("pk").values())
        ]
        for model in apps.get_models()
    }
