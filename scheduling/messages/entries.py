"""Calendar entries of bookings."""

from datetime import datetime

from calendars.messages import icalendar
from calendars.messages.icalendar import Entry, Person
from scheduling.messages import links
from scheduling.messages.parties import Party, answers, parties, tells_all
from scheduling.models import Booking
from scheduling.models.enums import Location, Method, Role


def calendar_object(booking: Booking, method: Method, reader: Party, now: datetime) -> str:
    """Return the calendar object for this reader's calendar."""
    host, invitee = parties(booking)
    return icalendar.render(
        entry_of(booking, reader, now),
        method=method,
        attendees=[
            Person(host.name, host.email),
            Person(invitee.name if tells_all(booking, reader) else invitee.email, invitee.email),
        ],
    )


def entry_of(booking: Booking, reader: Party, now: datetime) -> Entry:
    host, invitee = parties(booking)
    other, says_all = invitee if reader.role is Role.HOST else host, tells_all(booking, reader)
    lines = [booking.notes] if says_all else []
    if says_all:
        lines += [f"{label}: {value}" for label, value in answers(booking)]
    if reader.role is Role.INVITEE:
        lines.append(links.manage_url(booking))
    else:
        lines.append(links.booking_url(booking))
    return Entry(
        uid=booking.calendar_uid,
        organizer=booking.organizer,
        sequence=booking.sequence,
        summary=f"{booking.event_type.name}: {other.name}",
        description="\n".join(filter(None, lines)),
        url=booking.link,
        location=_location(booking, says_all=says_all),
        start=booking.start,
        end=booking.end,
        stamp=now,
    )


def _location(booking: Booking, *, says_all: bool) -> str:
    """Return where to meet. The host calls the number that the invitee gave."""
    place = booking.event_type.location_display
    if booking.link and not booking.event_type.location_custom:
        return booking.link
    if booking.event_type.location == Location.PHONE_CALL and says_all and booking.invitee_phone:
        return f"{place}: {booking.invitee_phone}"
    return place
