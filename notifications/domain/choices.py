"""Messages that people can switch off. Each app registers its own.

A choice holds from the moment it is made, so it is asked when a message is sent (`sending`), not
when its row is written: reminders wait in the outbox for weeks, and a booking writes its rows
without another query. A kind that no choice names always arrives.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from notifications.models import Notification, OptOut

Channel = Notification.Channel
Key = tuple[str, str]
"""The name of a choice, and a channel."""


@dataclass(frozen=True)
class Choice:
    """Messages about one thing that can be switched off, by channel.

    `always` is the channels by which a message about it comes in any case.
    """

    name: str
    group: Promise
    label: Promise
    kinds: Mapping[Channel, Sequence[str]]
    always: Collection[Channel] = ()


_choices: dict[str, Choice] = {}
_name_of: dict[str, str] = {}


def register(choices: Iterable[Choice]) -> None:
    for choice in choices:
        _choices[choice.name] = choice
        for kinds in choice.kinds.values():
            _name_of.update(dict.fromkeys(kinds, choice.name))


def known() -> list[Choice]:
    """Return all choices, in the order in which they are shown."""
    return list(_choices.values())


def switches() -> set[Key]:
    return {(choice.name, channel.value) for choice in known() for channel in choice.kinds}


def switched_off(*, user_id: int) -> set[Key]:
    return set(OptOut.objects.filter(user=user_id).values_list("kind", "channel"))


def switch_off(*, user_id: int, off: Collection[Key]) -> None:
    """Switch these messages off, and all others on. Unknown ones are ignored.

    The caller has locked the person.
    """
    wanted, was = switches() & set(off), switched_off(user_id=user_id)
    for kind, channel in was - wanted:
        OptOut.objects.filter(user=user_id, kind=kind, channel=channel).delete()
    OptOut.objects.bulk_create(
        OptOut(user_id=user_id, kind=kind, channel=channel)
        for kind, channel in sorted(wanted - was)
    )


def unwanted(rows: Sequence[Notification]) -> list[Notification]:
    """Return those of these messages that their recipients have switched off."""
    people = {row.user_id for row in rows if row.user_id and row.kind in _name_of}
    if not people:
        return []
    found = OptOut.objects.filter(user__in=people).values_list("user_id", "kind", "channel")
    off = set(found)
    return [row for row in rows if (row.user_id, _name_of.get(row.kind, ""), row.channel) in off]
