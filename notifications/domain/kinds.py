"""Kinds of messages. Each app registers its own, and writes them when they are sent.

A row of the outbox has a kind and facts: what cannot be read later, such as times, a reason and who
acted. All else is read when the message is written: address, names, zone, language, links. So a
message says what holds when it is sent.
"""

import json
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notifications.domain.channels import Content
from notifications.models import Notification

Facts = dict[str, Any]
"""Values that JSON knows. `id` is the number of the object that the message is about."""


@dataclass(frozen=True)
class Message:
    """A message that is written. Of a push message the address is a device's digest."""

    address: str
    content: Content


class Untrue(Exception):
    """The message does not hold any more, so it is withdrawn. The text is an error class."""


class Erased(Exception):
    """The object was erased after this row was claimed: the row holds its message now."""


class Writer(ABC):
    """Writes the messages about one kind of object."""

    @abstractmethod
    def find(self, ids: Collection[int]) -> Mapping[int, Any]:
        """Return the objects with these numbers, in a number of queries that does not grow."""

    @abstractmethod
    def write(self, kind: str, found: Any, facts: Facts, *, now: datetime) -> Message:
        """Write one message."""

    def check(self, kind: str, found: Any, facts: Facts, *, now: datetime) -> None:  # noqa: B027
        """Raise Untrue if a message does not hold any more, Erased for an erased object.

        Most messages stay true.
        """

    def refused(self, found: Any, facts: Facts, *, now: datetime) -> None:  # noqa: B027
        """Record that a mail server refuses messages to this recipient for good.

        Most recipients have an account, which shows them the same.
        """


_writers: dict[str, Writer] = {}


def register(kinds: Iterable[str], writer: Writer) -> None:
    """Have this writer write the messages of these kinds."""
    _writers.update(dict.fromkeys(kinds, writer))


def writer_of(kind: str) -> Writer:
    return _writers[kind]


def known() -> list[str]:
    """Return the kinds that have a writer. Messages that were written before have others."""
    return sorted(_writers)


def write(rows: Sequence[Notification], *, now: datetime) -> list[Message | Exception]:
    """Write the messages of these rows. Return for each row its message, or why there is none."""
    facts: list[Facts | Exception] = [_facts(row) for row in rows]
    found = _find(rows, facts)
    return [_written(row, of_row, found, now) for row, of_row in zip(rows, facts, strict=True)]


def refused(row: Notification, *, now: datetime) -> None:
    """Tell the writer of this email that its recipient cannot be reached."""
    facts, writer = _facts(row), _writers.get(row.kind)
    if writer is not None and not row.is_written and not isinstance(facts, Exception):
        for found in writer.find([facts["id"]]).values():
            writer.refused(found, facts, now=now)


def _facts(row: Notification) -> Facts | Exception:
    try:
        facts: Facts = json.loads(row.content)
        if not row.is_written:
            int(facts["id"])
    except Exception as error:  # the caller settles each row by its own error
        return error
    return facts


def _find(
    rows: Sequence[Notification], facts: Sequence[Facts | Exception]
) -> dict[Writer, Mapping[int, Any]]:
    wanted: dict[Writer, set[int]] = defaultdict(set)
    for row, of_row in zip(rows, facts, strict=True):
        if not row.is_written and not isinstance(of_row, Exception) and row.kind in _writers:
            wanted[_writers[row.kind]].add(of_row["id"])
    return {writer: writer.find(ids) for writer, ids in wanted.items()}


def _written(
    row: Notification,
    facts: Facts | Exception,
    found: Mapping[Writer, Mapping[int, Any]],
    now: datetime,
) -> Message | Exception:
    if isinstance(facts, Exception):
        return facts
    if row.is_written:
        content: Any = facts
        return Message(row.address, content)
    try:
        writer = writer_of(row.kind)
        about = found[writer].get(facts["id"])
        if about is None:
            return Untrue("deleted")
        writer.check(row.kind, about, facts, now=now)
        message = writer.write(row.kind, about, facts, now=now)
    except Exception as error:  # one row that cannot be written costs the others nothing
        return error
    return Message(row.address or message.address, message.content)
