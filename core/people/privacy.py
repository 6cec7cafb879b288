"""Personal data, app by app: its export, its erasure and its retention.

Each app has a module of this shape, named in `settings.PRIVACY`. No module knows the apps above its
own.
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
    """A file of an export: its content in words, and its bytes piece by piece."""

    name: str
    about: str
    pieces: Iterable[bytes]


class Part(Protocol):
    """The personal data of one app."""

    def export(self, *, person_id: int, now: datetime) -> Iterator[File]:
        """Yield all that the app knows of this person, without secrets."""

    def consequences(self, *, person_id: int, now: datetime) -> Iterator[str]:
        """Yield sentences, with numbers, that say what `erase` would do at `now`."""

    def erase(self, *, person_id: int, now: datetime) -> None:
        """Forget this person.

        Entries in other people's calendars keep their times, without the name.
        """

    def retain(self, *, now: datetime) -> None:
        """Forget data that is older than `settings.RETENTION_DAYS` allows."""


def parts() -> list[Part]:
    return [cast(Part, import_module(name)) for name in settings.PRIVACY]


def archive(*, person_id: int, now: datetime) -> SpooledTemporaryFile[bytes]:
    """Return all data of this person as a zip file of any size, ready to be read from its start."""
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
    """Return a file with a list of objects. Datetimes in it are written as in the API."""
    return File(name, about, _list(rows))


def _list(rows: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    yield b"["
    for place, row in enumerate(rows):
        yield (b",\n" if place else b"\n") + dumps(row)
    yield b"\n]\n"


def consequences(*, person_id: int, now: datetime) -> list[str]:
    """Return sentences, with numbers, that say what erasing this person now would do."""
    return [said for part in parts() for said in part.consequences(person_id=person_id, now=now)]


def erase(*, person_id: int, now: datetime) -> None:
    """Forget this person in every app, or in none. Conflict if this is not possible now.

    It calls many functions with all their locks. So two calls at once may deadlock. Then one of
    them runs after the other (see `core.db.retrying`).
    """

    def write() -> None:
        with transaction.atomic():
            for part in parts():
                part.erase(person_id=person_id, now=now)

    retrying(write)


def retain(*, now: datetime) -> None:
    """Forget, in every app, data that is older than its retention time."""
    for part in parts():
        part.retain(now=now)


def kept_since(what: str, now: datetime) -> datetime | None:
    """Return the time before which data of this kind is forgotten. None: nothing is forgotten."""
    days: int = settings.RETENTION_DAYS[what]
    return now - timedelta(days=days) if days else None


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """Yield the values in lists of at most `BATCH`, a size that one query takes well."""
    rest = iter(values)
    while batch := list(islice(rest, BATCH)):
        yield batch


def by_batches(rows: "models.QuerySet[Model]", act: Callable[[list[int]], object]) -> None:
    """Hand the ids of these rows to `act`, batch by batch, each in a transaction that locks them.

    `act` must take them out of `rows`. Another sweep at the same time gets other rows. Rows beyond
    the limit of one run are left to the next run.
    """
    for _batch in range(_BATCHES):
        with transaction.atomic():
            held = rows.select_for_update(skip_locked=True, of=("self",)).order_by("pk")
            ids = list(held.values_list("pk", flat=True)[:BATCH])
            if not ids:
                return
            act(ids)


def forget(rows: "models.QuerySet[Model]") -> None:
    """Delete these rows and their dependent rows, in the batches of `by_batches`."""
    kind = rows.model._base_manager
    by_batches(rows, lambda ids: kind.filter(pk__in=ids).delete())
