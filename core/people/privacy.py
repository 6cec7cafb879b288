"""What Parley knows of a person, floor by floor: given to them, forgotten, and not kept for ever.

Each floor has a module of this shape, named in `settings.PRIVACY`. None knows of those above it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Protocol, TypeVar, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext as _

from core.api.rendering import dumps
from core.db.retrying import retrying

# Of rows that are forgotten in one transaction, and of such transactions in one run.
BATCH = 500
_BATCHES = 20
# Of an archive that is kept in memory; the rest of a longer one is on disk.
_IN_MEMORY = 8 * 1024 * 1024

T = TypeVar("T")
Model = TypeVar("Model", bound=models.Model)


@dataclass(frozen=True)
class File:
    """A file of an export: what it holds, in words, and its content piece by piece."""

    name: str
    about: str
    pieces: Iterable[bytes]


class Part(Protocol):
    """One floor's."""

    def export(self, *, person_id: int, now: datetime) -> Iterator[File]:
        """All that it knows of this person, without a secret."""

    def consequences(self, *, person_id: int, now: datetime) -> Iterator[str]:
        """What `erase` would do at `now`, in sentences and numbers."""

    def erase(self, *, person_id: int, now: datetime) -> None:
        """Forget this person. What others' calendars show keeps its times, without who it was."""

    def retain(self, *, now: datetime) -> None:
        """Forget what is older than `settings.RETENTION_DAYS` keeps it."""


def parts() -> list[Part]:
    return [cast(Part, import_module(name)) for name in settings.PRIVACY]


def archive(*, person_id: int, now: datetime) -> SpooledTemporaryFile[bytes]:
    """All that is known of this person as a zip, however much it is; to be read from its start."""
    file = SpooledTemporaryFile[bytes](_IN_MEMORY)
    contents = []
    with ZipFile(file, "w", ZIP_DEFLATED) as zipped:
        for part in parts():
            for each in part.export(person_id=person_id, now=now):
                contents.append((each.name, each.about))
                _write(zipped, each.name, each.pieces, now)
        _write(zipped, "README.txt", [_readme(contents, now).encode()], now)
    file.seek(0)
    return file


def _write(zipped: ZipFile, name: str, pieces: Iterable[bytes], now: datetime) -> None:
    entry = ZipInfo(name, now.timetuple()[:6])
    entry.compress_type = ZIP_DEFLATED
    with zipped.open(entry, "w") as written:
        for piece in pieces:
            written.write(piece)


def _readme(contents: Iterable[tuple[str, str]], now: datetime) -> str:
    heads = [
        _("What Parley at %(address)s knew of you on %(day)s.")
        % {"address": settings.PUBLIC_URL, "day": f"{now:%Y-%m-%d}"},
        _(
            "Files that end in .json are for programs and can be read in any text editor; those"
            " that end in .ics can be opened with any calendar. Times are ISO 8601, in UTC. What"
            " opens a door (passwords, tokens, signing secrets) is left out."
        ),
    ]
    files = [f"{name}\n    {about}" for name, about in contents]
    return "\n\n".join([*heads, *files]) + "\n"


def json_file(name: str, about: str, rows: Iterable[Mapping[str, object]]) -> File:
    """A list of objects; datetimes in it as the API writes them."""
    return File(name, about, _list(rows))


def _list(rows: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    yield b"["
    for place, row in enumerate(rows):
        yield (b",\n" if place else b"\n") + dumps(row)
    yield b"\n]\n"


def consequences(*, person_id: int, now: datetime) -> list[str]:
    """What it means to be forgotten now, in sentences and numbers."""
    return [said for part in parts() for said in part.consequences(person_id=person_id, now=now)]


def erase(*, person_id: int, now: datetime) -> None:
    """Forget this person on every floor, or on none. Conflict where that is not to be.

    It goes through many doors with all that they lock, so two at once may stand in each other's
    way; then one of them is done after the other (see `core.db.retrying`).
    """

    def write() -> None:
        with transaction.atomic():
            for part in parts():
                part.erase(person_id=person_id, now=now)

    retrying(write)


def retain(*, now: datetime) -> None:
    """Forget on every floor what is older than it is kept."""
    for part in parts():
        part.retain(now=now)


def kept_since(what: str, now: datetime) -> datetime | None:
    """What is older than this is forgotten; None: nothing is."""
    days: int = settings.RETENTION_DAYS[what]
    return now - timedelta(days=days) if days else None


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """So many at a time as one query takes well."""
    rest = iter(values)
    while batch := list(islice(rest, BATCH)):
        yield batch


def by_batches(rows: "models.QuerySet[Model]", act: Callable[[list[int]], object]) -> None:
    """Hand the ids of these rows to `act`, batch by batch, each in a transaction that holds them.

    It takes them out of `rows`. Another sweep at the same time is given others; what is too much
    for one run is left to the next.
    """
    for _batch in range(_BATCHES):
        with transaction.atomic():
            held = rows.select_for_update(skip_locked=True, of=("self",)).order_by("pk")
            ids = list(held.values_list("pk", flat=True)[:BATCH])
            if not ids:
                return
            act(ids)


def forget(rows: "models.QuerySet[Model]") -> None:
    """Delete these rows with what hangs on them, as `by_batches` gives them."""
    kind = rows.model._base_manager
    by_batches(rows, lambda ids: kind.filter(pk__in=ids).delete())
