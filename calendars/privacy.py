"""Personal data in outside calendars. See `core.people.privacy`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from calendars.domain import entries, ledger, reading
from calendars.models import Calendar, CalendarAccount, Entry, Feed, Push
from core.db.crypto import is_readable
from core.people import privacy
from core.people.privacy import BATCH, File, Outdated, json_file


def export(*, person_id: int, now: datetime) -> Iterator[File]:
    yield json_file(
        "calendar_accounts.json",
        _("Your calendar accounts and their calendars, without what opens them."),
        map(_account, _accounts(person_id).prefetch_related("calendars")),
    )
    known = Entry.objects.filter(calendar__user=person_id).select_related("calendar")
    yield json_file(
        "calendar_entries.json",
        _("Entries read from your connected calendars, and whether they block time."),
        map(_entry, known.order_by("start", "pk").iterator(BATCH)),
    )
    written = Push.objects.filter(calendar__user=person_id).select_related("calendar")
    yield json_file(
        "calendar_writes.json",
        _("Entries written to your connected calendars, with their results."),
        map(_push, written.order_by("pk").iterator(BATCH)),
    )
    yield json_file(
        "calendar_feed.json",
        _("Your private feed, without its address."),
        (
            {"shows_titles": feed.shows_titles, "created_at": feed.created_at}
            for feed in Feed.objects.filter(user=person_id)
        ),
    )


def _accounts(person_id: int) -> QuerySet[CalendarAccount, CalendarAccount]:
    return CalendarAccount.objects.filter(user=person_id).order_by("pk")


def _account(account: CalendarAccount) -> dict[str, Any]:
    names = ("uuid", "provider", "name", "host", "state", "state_since", "error", "read_at")
    secret = account.secret if is_readable(account, "sealed_secret") else {}
    return {
        **{name: getattr(account, name) for name in names},
        "username": secret.get("username", ""),
        "created_at": account.created_at,
        "updated_at": account.updated_at,
        "calendars": [_calendar(calendar) for calendar in account.calendars.all()],
    }


def _calendar(calendar: Calendar) -> dict[str, Any]:
    names = (
        "uuid",
        "name",
        "color",
        "timezone",
        "blocks",
        "blocks_tentative",
        "blocks_all_day",
        "writes",
        "read_at",
        "error",
        "write_error",
    )
    return {name: getattr(calendar, name) for name in names}


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "calendar": entry.calendar.uuid,
        "title": entry.title if is_readable(entry, "title") else None,
        "start_time": datetime.fromtimestamp(entry.start, UTC),
        "end_time": datetime.fromtimestamp(entry.end, UTC),
        "is_all_day": entry.is_all_day,
        "shown_as": entry.shown_as,
        "closes_time": entry.busy_time_id is not None,
    }


def _push(push: Push) -> dict[str, Any]:
    names = ("uid", "source", "href", "state", "created_at", "settled_at", "last_error")
    return {"calendar": push.calendar.uuid, **{name: getattr(push, name) for name in names}}


# --- erasure ------------------------------------------------------------------------------------


def consequences(*, person_id: int, now: datetime) -> Iterator[str]:
    count = _accounts(person_id).count()
    if count:
        yield ngettext(
            "%(count)d calendar account is disconnected. What was written to it stays there.",
            "%(count)d calendar accounts are disconnected. What was written to them stays there.",
            count,
        ) % {"count": count}
    if Feed.objects.filter(user=person_id).exists():
        yield _("Your private feed ends: calendars that read it get nothing more.")


def erase(*, person_id: int, now: datetime) -> None:
    """Disconnect all calendars of this person, and delete what is known of them.

    What was written to these calendars stays there: they are the person's own. A reading or a write
    that is under way saves nothing any more.
    """
    ledger.lock_people([person_id])
    accounts = _accounts(person_id)
    list(accounts.select_for_update(no_key=True).values_list("pk"))
    for calendar in Calendar.objects.filter(user=person_id).order_by("pk"):
        entries.forget(calendar)
    accounts.order_by().delete()
    Feed.objects.filter(user=person_id).delete()


# --- retention ----------------------------------------------------------------------------------


def outdated(*, now: datetime) -> Iterator[Outdated]:
    """Yield entries that are over, and writes that were settled long ago and are over as long.

    A reading of all entries drops those that are over too. Entries of a calendar that cannot be
    read go this way. Their objects stay: the versions of these tell what has changed.
    """
    over = Entry.objects.filter(end__lte=reading.window(now).since)
    yield Outdated(over, by="end", forget=entries.drop)
    if since := privacy.kept_since("attempts", now):
        settled = Push.objects.filter(settled_at__lte=since, ends_at__lte=since)
        yield Outdated(settled, by="settled_at")
