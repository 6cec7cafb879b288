"""Calendar entries of bookings."""

from datetime import datetime

from calendars.messages import icalendar
from calendars.messages.icalendar import Entry, Person
from scheduling.messages import links
from scheduling.messages.parties import Party, answers, invitee_as_told, parties, tells_all
from scheduling.models import Booking
from scheduling.models.enums import Location, Method, Role


def calendar_object(booking: Booking, method: Method, reader: Party, now: datetime) -> str:
    """Return the calendar object for this reader's calendar."""
    host, invitee = parties(booking)
    attendees = [
        Person(host.name, host.email),
        Person(invitee_as_told(booking, reader), invitee.email),
        *guests_for(booking, reader),
    ]
    return icalendar.render(entry_of(booking, reader, now), method=method, attendees=attendees)


def guests_for(booking: Booking, reader: Party) -> list[Person]:
    """Return the guests whom this reader's calendar names. A guest sees no other one's address."""
    if reader.is_guest:
        return [Person(reader.email, reader.email, is_guest=True)]
    if not tells_all(booking, reader):
        return []
    return [Person(guest.email, guest.email, is_guest=True) for guest in booking.invited]


def entry_of(booking: Booking, reader: Party, now: datetime) -> Entry:
    host, invitee = parties(booking)
    other, says_all = invitee if reader.role is Role.HOST else host, tells_all(booking, reader)
    lines = [booking.notes] if says_all else []
    if says_all:
        lines += [f"{label}: {value}" for label, value in answers(booking)]
    if reader.role is Role.INVITEE:
        lines += [] if reader.is_guest else [links.manage_url(booking)]
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
