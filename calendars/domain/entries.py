"""Entries of outside calendars and their claims. Only this module writes them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from calendars.domain import ledger, sources
from calendars.models import Calendar, Entry, Item
from calendars.models.entries import key_of
from calendars.rules.expansion import Occurrence, ShownAs
from core.db.crypto import is_readable

_BATCH = 500


@dataclass(frozen=True)
class Reading:
    """Result of reading one object. With an `error`, its occurrences are not known."""

    href: str
    etag: str
    uid: str
    occurrences: Sequence[Occurrence] = ()
    error: str = ""


def save(calendar: Calendar, readings: Sequence[Reading]) -> None:
    """Write what was read of these objects, in the caller's transaction.

    An object that cannot be read keeps the entries that are known of it.
    """
    items = _items(calendar, readings)
    known = Entry.objects.filter(item__in=items.values()).order_by("pk")
    before: dict[int, dict[str, Entry]] = {item.pk: {} for item in items.values()}
    for entry in known:
        before[entry.item_id][entry.recurrence_id] = entry
    gone: list[Entry] = []
    new: list[Entry] = []
    for reading in readings:
        if reading.error:
            continue
        item = items[key_of(reading.href)]
        found = {each.recurrence_id: each for each in reading.occurrences}
        for name, entry in before[item.pk].items():
            if name in found and is_readable(entry, "title") and _says(entry) == found[name]:
                del found[name]
            else:
                gone.append(entry)
        new += [_entry(calendar, item, occurrence) for occurrence in found.values()]
    _delete(gone)
    Entry.objects.bulk_create(new, batch_size=_BATCH)
    refit(calendar, items=items.values())


def _items(calendar: Calendar, readings: Sequence[Reading]) -> dict[str, Item]:
    """Return the rows of these objects by key, as they are to be from now on."""
    own = _own(calendar, {reading.uid for reading in readings})
    rows = [
        Item(
            calendar=calendar,
            key=key_of(reading.href),
            href=reading.href,
            etag=reading.etag,
            uid=reading.uid,
            is_own=reading.uid in own,
            error=reading.error,
        )
        for reading in readings
    ]
    made = Item.objects.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["calendar", "key"],
        update_fields=["href", "etag", "uid", "is_own", "error"],
    )
    keys = [item.key for item in made]
    return {
        item.key: item for item in Item.objects.filter(calendar=calendar, key__in=keys).order_by()
    }


def _own(calendar: Calendar, uids: Collection[str]) -> set[str]:
    """Return which of these objects are bookings or meetings of the calendar's owner."""
    owner = calendar.account.user
    return {uid for _name, source in sources.named() for uid in source.own(uids, user=owner)}


def _says(entry: Entry) -> Occurrence:
    """Return what a row says, to be compared with what was read."""
    return Occurrence(
        recurrence_id=entry.recurrence_id,
        start=entry.start,
        end=entry.end,
        title=entry.title,
        shown_as=ShownAs(entry.shown_as),
        is_all_day=entry.is_all_day,
    )


def _entry(calendar: Calendar, item: Item, occurrence: Occurrence) -> Entry:
    return Entry(
        calendar=calendar,
        item=item,
        recurrence_id=occurrence.recurrence_id,
        start=occurrence.start,
        end=occurrence.end,
        title=occurrence.title,
        shown_as=occurrence.shown_as,
        is_all_day=occurrence.is_all_day,
    )


def refit(calendar: Calendar, *, items: Iterable[Item] | None = None) -> None:
    """Give each entry a claim if it closes time, and take the claims of the others away."""
    rows = Entry.objects.filter(calendar=calendar).select_related("item").order_by("pk")
    if items is not None:
        rows = rows.filter(item__in=[item.pk for item in items])
    missing, idle = [], []
    for entry in rows.defer("title"):
        closes = not entry.item.is_own and calendar.closes(
            entry.shown_as, is_all_day=entry.is_all_day
        )
        if closes and entry.busy_time_id is None:
            missing.append(entry)
        elif not closes and entry.busy_time_id is not None:
            idle.append(entry)
    spans = [(entry.start, entry.end) for entry in missing]
    claims = ledger.claim_outside(user_id=calendar.user_id, spans=spans)
    for entry, claimed in zip(missing, claims, strict=True):
        entry.busy_time = claimed
    Entry.objects.bulk_update(missing, ["busy_time"], batch_size=_BATCH)
    _release(idle)


def _release(entries: Sequence[Entry]) -> None:
    held = [entry.busy_time_id for entry in entries if entry.busy_time_id is not None]
    for first in range(0, len(held), _BATCH):
        ledger.release(held[first : first + _BATCH])


def _delete(entries: Sequence[Entry]) -> None:
    _release(entries)
    keys = [entry.pk for entry in entries]
    for first in range(0, len(keys), _BATCH):
        Entry.objects.filter(pk__in=keys[first : first + _BATCH]).delete()


def drop(keys: Sequence[int]) -> None:
    """Delete these entries with their claims. Their objects stay."""
    _delete(list(Entry.objects.filter(pk__in=keys).defer("title")))


def drop_own(uids: Collection[str], *, owners: Collection[int]) -> None:
    """Delete what was read of these bookings and meetings in the calendars of these people."""
    own = Entry.objects.filter(item__is_own=True, item__uid__in=uids)
    drop(list(own.filter(calendar__user__in=owners).values_list("pk", flat=True)))


def forget(calendar: Calendar, *, keys: Collection[str] | None = None) -> None:
    """Delete these objects with their entries and claims. None: all of the calendar."""
    items = Item.objects.filter(calendar=calendar)
    if keys is not None:
        items = items.filter(key__in=keys)
    while batch := list(items.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        _delete(list(Entry.objects.filter(item__in=batch).defer("title")))
        Item.objects.filter(pk__in=batch).delete()


def etags(calendar: Calendar) -> Mapping[str, str]:
    """Return the versions of the objects that are known, by address."""
    return dict(Item.objects.filter(calendar=calendar, error="").values_list("href", "etag"))


def count_of(user_id: int) -> int:
    """Return how many entries of this person's calendars are kept."""
    return Entry.objects.filter(calendar__user=user_id).count()
