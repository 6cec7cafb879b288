"""Personal data of hours, event types and bookings. See `core.people.privacy`."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User, usernames
from calendars.domain import ledger
from calendars.messages import icalendar
from calendars.models import BusyTime
from core.people import privacy
from core.people.privacy import BATCH, File, Outdated, json_file
from core.text import mailboxes
from notifications.domain import notifications as outgoing
from scheduling.api.serializers import EventTypeSerializer
from scheduling.domain import bookings, erasure, limits
from scheduling.models import (
    Booking,
    DateOverride,
    EventType,
    FormerSlug,
    Guest,
    HistoryEntry,
    Hold,
    Schedule,
    WeeklyAvailability,
)
from scheduling.models.enums import OPEN, OVER, STANDING
from scheduling.rules.hours import text_of
from scheduling.rules.slots import Interval

# Of bookings whose invitees are forgotten in one transaction: it holds webhooks of their hosts too.
_INVITEES = 50

# --- export -------------------------------------------------------------------------------------


def export(*, person_id: int, now: datetime) -> Iterator[File]:
    schedules = Schedule.objects.filter(user=person_id)
    yield json_file(
        "hours.json",
        _("Your weekly hours, by schedule; 1 is Monday."),
        (
            {
                "name": row.name,
                "is_default": row.is_default,
                "timezone": row.user.weekly_availability.timezone,
                "days": {
                    number: {"enabled": day["enabled"], "windows": _windows(day["windows"])}
                    for number, day in row.days.items()
                },
                "created_at": row.created_at,
            }
            for row in schedules.select_related("user__weekly_availability")
        ),
    )
    overrides = DateOverride.objects.filter(user=person_id)
    yield json_file(
        "date_overrides.json",
        _("Your date-specific hours."),
        ({"date": row.date, "windows": _windows(row.windows)} for row in overrides),
    )
    event_types = EventType.objects.filter(host=person_id).select_related("host")
    yield json_file(
        "event_types.json",
        _("Your event types."),
        (
            {
                **EventTypeSerializer(row).data,
                "former_slugs": [
                    {"slug": each.slug, "given_up_at": each.given_up_at}
                    for each in row.former_slugs.all()
                ],
            }
            for row in event_types.prefetch_related("former_slugs")
        ),
    )
    yield json_file(
        "bookings.json",
        _("Bookings with you, with their history."),
        (
            {
                **_booking(booking, now),
                "join_url": booking.join_url,
                "metadata": booking.metadata,
                "no_show": booking.no_show_at is not None,
            }
            for booking in _hosted(person_id).prefetch_related("history", "guests").iterator(BATCH)
        ),
    )
    yield json_file(
        "bookings_made.json",
        _(
            "Bookings that you made with others by a confirmed address of yours, with their"
            " history."
        ),
        (
            {"host": booking.host.name, **_booking(booking, now)}
            for booking in _made(person_id).prefetch_related("history", "guests").iterator(BATCH)
        ),
    )
    yield json_file(
        "guest_of.json",
        _("Bookings to which others invited you as a guest, by a confirmed address of yours."),
        (
            {
                "event_type": guest.booking.event_type.name,
                "host": guest.booking.host.name,
                "start_time": guest.booking.start,
                "end_time": guest.booking.end,
                "status": guest.booking.status_at(now),
                "email": guest.email,
            }
            for guest in _invitations(person_id)
            .select_related("booking__event_type", "booking__host")
            .order_by("pk")
            .iterator(BATCH)
        ),
    )
    standing = _hosted(person_id).filter(status__in=STANDING)
    if standing.exists():  # a calendar without an entry is none (RFC 5545, 3.6)
        yield File(
            "bookings.ics",
            _("Your confirmed and completed bookings."),
            icalendar.collection(_entry(each, now) for each in standing.iterator(BATCH)),
        )


def _windows(windows: Iterable[Interval]) -> list[dict[str, str]]:
    return [{"start": text_of(start), "end": text_of(end)} for start, end in windows]


def _hosted(person_id: int) -> QuerySet[Booking, Booking]:
    rows = Booking.objects.filter(host=person_id).select_related("event_type", "host")
    return rows.order_by("start", "pk")


def _made(person_id: int) -> QuerySet[Booking, Booking]:
    """Return what this person booked with others, by their confirmed addresses.

    An address that nobody confirmed may belong to anybody.
    """
    rows = Booking.objects.alias(address=Lower("invitee_email"))
    rows = rows.filter(address__in=_addresses(person_id))
    return rows.exclude(host=person_id).select_related("event_type", "host").order_by("start", "pk")


def _invitations(person_id: int) -> QuerySet[Guest, Guest]:
    """Return this person as a guest of bookings, by their confirmed addresses."""
    digests = [mailboxes.digest(address) for address in _addresses(person_id)]
    rows = Guest.objects.filter(mailbox__in=digests).alias(address=Lower("email"))
    return rows.filter(address__in=_addresses(person_id))


def _addresses(person_id: int) -> list[str]:
    confirmed = EmailAddress.objects.filter(user=person_id, verified=True)
    return [address.lower() for address in confirmed.values_list("email", flat=True)]


def _booking(booking: Booking, now: datetime) -> dict[str, Any]:
    """Return what both parties may know of a booking."""
    names = ("uuid", "timezone", "notes", "custom_field_values", "created_at", "updated_at")
    history = [
        {
            "change": entry.change,
            "by": entry.role,
            "at": entry.at,
            "start_time": entry.start,
            "end_time": entry.end,
            "reason": entry.reason,
        }
        for entry in booking.history.all()
    ]
    return {
        "event_type": booking.event_type.name,
        "start_time": booking.start,
        "end_time": booking.end,
        "status": booking.status_at(now),
        "invitee": {
            "name": booking.invitee,
            "email": booking.invitee_email,
            "phone": booking.invitee_phone,
        },
        "guests": [guest.email for guest in booking.invited],
        **{name: getattr(booking, name) for name in names},
        "history": history,
    }


def _entry(booking: Booking, now: datetime) -> icalendar.Entry:
    return icalendar.Entry(
        uid=booking.calendar_uid,
        organizer=booking.organizer,
        sequence=booking.sequence,
        summary=f"{booking.event_type.name}: {booking.invitee}",
        description=booking.notes,
        url=booking.link,
        location=booking.event_type.location_display,
        start=booking.start,
        end=booking.end,
        stamp=now,
    )


# --- erasure ------------------------------------------------------------------------------------


def consequences(*, person_id: int, now: datetime) -> Iterator[str]:
    hosted = Booking.objects.filter(host=person_id)
    count = hosted.open_at(now).count()
    if count:
        yield ngettext(
            "%(count)d upcoming booking is cancelled, and the invitee gets an email.",
            "%(count)d upcoming bookings are cancelled, and the invitees get an email.",
            count,
        ) % {"count": count}
    count = EventType.objects.filter(host=person_id).count()
    if count:
        yield ngettext(
            "%(count)d event type can no longer be booked.",
            "%(count)d event types can no longer be booked.",
            count,
        ) % {"count": count}


def erase(*, person_id: int, now: datetime) -> None:
    """Erase this person as a host and as an invitee.

    Invitees keep the time, and the page behind their link. Everything that they told the host,
    except name and address, is erased with the host: nobody is left to read it.

    Bookings that this person made and that are over are erased as through their links. Future
    bookings stay with their hosts, who must know who comes.
    """
    [host] = ledger.lock_people([person_id])  # from here on nobody can book this host
    hosted = Booking.objects.filter(host=host)
    standing = hosted.filter(status__in=OPEN).order_by("pk")
    for booking in standing.select_for_update(no_key=True):
        erasure.settle(booking, actor=bookings.host(host), now=now)
    for ids in privacy.batches(hosted.order_by("pk").values_list("pk", flat=True)):
        outgoing.forget(topics=Booking.topics_of(ids))
    hosted.update(
        invitee_phone="",
        notes="",
        custom_field_values={},
        join_url="",
        metadata={},
        last_reason="",
    )
    Guest.objects.filter(booking__host=host).exclude(email="").update(email="")
    HistoryEntry.objects.filter(booking__host=host).exclude(reason="").update(reason="")
    HistoryEntry.objects.filter(actor=host).exclude(reason="").update(reason="")
    Hold.objects.filter(host=host).delete()
    BusyTime.objects.filter(user=host).delete()
    DateOverride.objects.filter(user=host).delete()
    WeeklyAvailability.objects.filter(user=host).delete()
    _forget_event_types(host)
    Schedule.objects.filter(user=host).delete()
    _forget_as_invitee(person_id, now)


def _forget_event_types(host: User) -> None:
    """Delete event types without bookings, and empty the others of all that the host wrote."""
    FormerSlug.objects.filter(host=host).delete()
    host.event_types.filter(bookings=None).delete()
    for booked in host.event_types.all():
        nobodys = EventType(
            pk=booked.pk,
            uuid=booked.uuid,
            host=host,
            name="Meeting",
            slug=f"deleted-{booked.pk}",
            duration=booked.duration,
            is_active=False,
            created_at=booked.created_at,
        )
        nobodys.save(force_update=True)


def _forget_as_invitee(person_id: int, now: datetime) -> None:
    made = _made(person_id).order_by("pk")
    begun = made.filter(status__in=OPEN, start__lte=now)
    for booking in begun.select_for_update(no_key=True, of=("self",)):
        if booking.status_at(now) in OVER:
            erasure.settle(booking, actor=bookings.INVITEE, now=now)
    over = made.filter(status__in=OVER, erased_at=None)
    for ids in privacy.batches(over.values_list("pk", flat=True)):
        erasure.forget_invitees(ids, now=now)
    brought = _invitations(person_id).filter(booking__end__lte=now).order_by("pk")
    for keys in privacy.batches(brought.values_list("pk", flat=True)):
        erasure.forget_guests(keys, now=now)


# --- retention ----------------------------------------------------------------------------------


def outdated(*, now: datetime) -> Iterator[Outdated]:
    given_up = FormerSlug.objects.filter(given_up_at__lte=now - usernames.RESERVED)
    yield Outdated(given_up, by="given_up_at")
    yield Outdated(
        erasure.with_spent_mailbox(now), by="created_at", forget=erasure.forget_mailboxes
    )
    yield Outdated(erasure.spent_guests(now), by="created_at")
    swept = Hold.objects.filter(is_waiting=False, created_at__lte=now - limits.DAY)
    yield Outdated(swept, by="created_at")
    if since := privacy.kept_since("bookings", now):
        # The sweep records overdue bookings first, within seconds.
        yield Outdated(
            Booking.objects.filter(erased_at=None, end__lte=since, status__in=OVER),
            by="end",
            forget=lambda keys: erasure.forget_invitees(keys, now=now),
            batch=_INVITEES,
        )
