"""Personal data, app by app: its export, its erasure and its retention.

Each app has a module of this shape, named in `settings.PRIVACY`. No module knows the apps above its
own.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any, Protocol, TypeVar, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext as _

from core.api.rendering import dumps
from core.db.retrying import retrying
from core.ops import shares

# Of rows that one query takes, or that one transaction forgets.
BATCH = 500
# Of an archive that is kept in memory; the rest of a longer one is on disk.
_IN_MEMORY = 8 * 1024 * 1024

T = TypeVar("T")


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

    def outdated(self, *, now: datetime) -> Iterator["Outdated"]:
        """Yield the rows that are kept for longer than docs/privacy.md allows, kind by kind."""


@dataclass(frozen=True)
class Outdated:
    """Rows of one kind that are to be forgotten, and what forgets them.

    They are read in the order of the column `by`, so its index must serve the condition of `rows`,
    or the table must stay small. Where `rows` asks more than an index can answer, they are looked
    for `among` the rows that the index finds, a batch of these at a time. `forget` gets the keys of
    a batch, locked and in a transaction, and must take them out of `rows`. Without it they are
    deleted. `batch` is their number: it bounds how long the locks are held.
    """

    rows: "models.QuerySet[Any, Any]"
    by: str
    among: "models.QuerySet[Any, Any] | None" = None
    forget: Callable[[list[Any]], object] | None = None
    batch: int = BATCH


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


def retain(*, now: datetime, until: float = math.inf) -> None:
    """Forget, in every app, data that is older than its retention time (see `in_turns`)."""
    in_turns([kind for part in parts() for kind in part.outdated(now=now)], until=until)


def in_turns(kinds: Iterable[Outdated], *, until: float) -> None:
    """Forget rows of these kinds.

    The kinds take turns, one batch each, so that a kind with many rows delays no other by more than
    a batch. After `until`, by `time.monotonic()`, or when the worker stops, no batch begins; the
    rest is for the next run. The errors of the kinds that failed are raised at the end.
    """
    turns = deque(map(_batch_by_batch, kinds))
    errors = []
    while turns and time.monotonic() < until and not shares.stopping.is_set():
        turn, began = turns.popleft(), time.monotonic()
        try:
            if next(turn, False):
                turns.append(turn)
        except Exception as error:
            errors.append(error)
        # Let others write. SQLite has one writer, and those who wait for it look now and then.
        shares.stopping.wait(time.monotonic() - began)
    if errors:
        raise ExceptionGroup("Some kinds of data were not forgotten.", errors)


def _batch_by_batch(kind: Outdated) -> Iterator[bool]:
    """Forget one batch at each step. Yield True as long as there may be more.

    A batch is found without a lock. It begins where the last one ended, so that no query reads the
    index entries of rows that are gone. Where none of a batch could be forgotten, the next begins
    after it, so that the rows get fewer in any case.
    """
    rows = kind.rows if kind.among is None else kind.among
    rest = rows
    while True:
        found = list(rest.order_by(kind.by).values_list("pk", kind.by)[: kind.batch])
        count = forget(kind, [pk for pk, _value in found]) if found else 0
        if len(found) < kind.batch:
            return
        yield True
        rest = rows.filter(**{f"{kind.by}__{'gte' if count else 'gt'}": found[-1][1]})


def forget(kind: Outdated, keys: list[Any]) -> int:
    """Forget the rows with these keys in one transaction. Return how many.

    Rows that another transaction holds, and rows that are no longer outdated, are left alone.
    """
    with transaction.atomic():
        rows = kind.rows.filter(pk__in=keys).select_for_update(skip_locked=True, of=("self",))
        held = list(rows.order_by("pk").values_list("pk", flat=True))
        if held:
            (kind.forget or partial(delete, kind.rows.model))(held)
    return len(held)


def delete(model: type[models.Model], keys: list[Any]) -> None:
    """Delete these rows with what hangs on them, without loading their contents."""
    model._base_manager.filter(pk__in=keys).only("pk").delete()


def kept_since(what: str, now: datetime) -> datetime | None:
    """Return the time before which data of this kind is forgotten. None: nothing is forgotten."""
    days: int = settings.RETENTION_DAYS[what]
    return now - timedelta(days=days) if days else None


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """Yield the values in lists of at most `BATCH`, a size that one query takes well."""
    rest = iter(values)
    while batch := list(islice(rest, BATCH)):
        yield batch
