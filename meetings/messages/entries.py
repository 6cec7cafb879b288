"""Calendar entries of meetings."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext

from accounts.models import User
from calendars.domain import sources
from calendars.domain.sources import Upcoming
from calendars.messages import icalendar
from calendars.messages.icalendar import Entry, Person
from meetings.messages import links
from meetings.models import MeetingRequest
from scheduling.messages.outside import as_busy, first_standing
from scheduling.models.enums import STANDING, Method, Status


def calendar_object(meeting: MeetingRequest, method: Method, stamp: datetime) -> str:
    """Return the calendar object of a mail, which both people get alike."""
    return icalendar.render(entry_of(meeting, stamp), method=method, attendees=_people(meeting))


def entry_of(meeting: MeetingRequest, stamp: datetime) -> Entry:
    names = {"one": meeting.requester.name, "other": meeting.recipient.name}
    return Entry(
        uid=meeting.calendar_uid,
        organizer=meeting.organizer,
        sequence=meeting.sequence,
        summary=gettext("Meeting: %(one)s and %(other)s") % names,
        description=f"{meeting.booking_number}\n{links.meeting_url(meeting)}",
        url=meeting.link,
        start=meeting.start,
        end=meeting.end,
        stamp=stamp,
    )


def _people(meeting: MeetingRequest) -> list[Person]:
    return [Person(each.name, each.email) for each in (meeting.requester, meeting.recipient)]


class MeetingSource(sources.Source):
    """Only a confirmed meeting stands in the calendars of both people: a request holds no time."""

    def own(self, uids: Collection[str], *, user: User) -> set[str]:
        numbers = [uid.partition("@")[0] for uid in uids]  # by which there is an index
        rows = MeetingRequest.objects.visible_to(user)
        rows = rows.filter(booking_number__in=numbers, calendar_uid__in=uids)
        return set(rows.values_list("calendar_uid", flat=True))

    def text(self, number: int, *, user: User, now: datetime) -> str | None:
        rows = MeetingRequest.objects.visible_to(user).with_people()
        meeting = rows.filter(pk=number, status__in=STANDING).first()
        if meeting is None:
            return None
        with translation.override(user.mail_language):
            entry = entry_of(meeting, meeting.updated_at)
            return icalendar.stored(entry, attendees=_people(meeting))

    def upcoming(self, *, user: User, now: datetime, most: int) -> Sequence[Upcoming]:
        rows = MeetingRequest.objects.visible_to(user).filter(start__gt=now)
        rows = rows.filter(status=Status.CONFIRMED).order_by("start", "pk")
        found = rows.values_list("pk", "calendar_uid", "end")[:most]
        return [Upcoming(*row) for row in found]

    def pieces(
        self, *, user: User, since: datetime, now: datetime, shows_titles: bool, most: int
    ) -> Iterator[bytes]:
        rows = MeetingRequest.objects.visible_to(user).filter(status__in=STANDING).with_people()
        for meeting in first_standing(rows, since=since, now=now, most=most):
            entry = entry_of(meeting, meeting.updated_at)
            yield icalendar.piece(as_busy(entry, shows_titles=shows_titles))


sources.register("meeting", MeetingSource())
