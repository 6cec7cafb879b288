"""Search for traces of a person in every table of the database."""

from collections.abc import Iterator

from django.apps import apps
from django.db import connection

from tests import outbox
from tests.delivering import deliver_due
from tests.pages import readable


def traces(*words: str) -> list[tuple[str, str]]:
    """Return (table, word) for each word found in a table, in stored or in decrypted values."""
    return sorted(
        {
            (table, word)
            for table, text in _texts()
            for word in words
            if word.lower() in text.lower()
        }
    )


def _texts() -> Iterator[tuple[str, str]]:
    """Yield every row of every table twice: as the models read it, and as stored."""
    for label, rows in readable().items():
        yield label, str(rows)
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            yield model._meta.label, str([bytes_as_text(row) for row in cursor.fetchall()])


def bytes_as_text(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(
        value.decode(errors="replace") if isinstance(value, bytes) else value for value in row
    )


def drain() -> None:
    """Send everything that is due, as the workers do."""
    outbox.send()
    deliver_due()
