from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.domain.services import create_token
from accounts.models import Membership, Team, User, scopes
from core.db import keys, outbox
from meetings.domain import services
from meetings.models import MeetingRequest
from notifications.models import Notification
from scheduling.domain import availability, bookings
from scheduling.domain.bookings import Invitee
from scheduling.domain.services import create_event_type, create_schedule, update_event_type
from scheduling.models import Booking, EventType

_PASSWORD = "demo-password"  # noqa: S105  printed for everybody to see
_PEOPLE = [
    ("ada", "Ada", "Lovelace", "America/New_York", "MM/dd/yyyy", "hh:mm a"),
    ("grace", "Grace", "Hopper", "Europe/London", "dd/MM/yyyy", "HH:mm"),
    ("linus", "Linus", "Pauling", "Asia/Kathmandu", "yyyy-MM-dd", "HH:mm"),
    ("margaret", "Margaret", "Hamilton", "America/Los_Angeles", "MM/dd/yyyy", "hh:mm a"),
]
_TEAM = "Founders"
_ASKING = ("ada", "grace")  # who asks for a meeting, and whom
_TOUR = """\
  Interactive API  {url}/api/docs
  Sign in as       ada@example.com, grace@example.com or linus@example.com
  with password    {password}

  Ask for a meeting:

    curl -s {url}/api/v3/meeting/create \\
      -H 'Authorization: Bearer {token}' \\
      -H 'Content-Type: application/json' \\
      -d '{{"user_id": {user_id}, "team_id": {team_id}, "date": "{date}", "link": "https://zoom.us/j/1234567890"}}'

  See when you can be booked:

    curl -s {url}/api/v1/event_types/{event_type_id}/availability \\
      -H 'Authorization: Bearer {token}'
"""
_MEETING = {
    "name": "30 Minute Meeting",
    "description": "A quick half hour.",
    "duration": 30,
    "location_link": "https://zoom.us/j/1234567890",
}
_EVENT_TYPES: dict[str, list[dict[str, Any]]] = {
    "ada": [
        _MEETING | {"buffer_time_before": 5, "buffer_time_after": 10},
        {
            "name": "Strategy Session",
            "description": "Deep dive strategy discussion",
            "duration": 60,
            "color": "#7C3AED",
            "requires_approval": True,
            "buffer_time_before": 15,
            "buffer_time_after": 15,
            "max_advance_booking": 90,
            "price": Decimal("150.00"),
        },
    ],
    "grace": [
        _MEETING,
        {
            "name": "Office Hours",
            "description": "Bring your compiler errors.",
            "duration": 45,
            "color": "#0F766E",
            "location": "in_person",
            "location_custom": "Room 4, 1 Navy Yard",
            "daily_limit": 4,
            "custom_fields": [
                {
                    "name": "topic",
                    "label": "What is it about?",
                    "type": "text",
                    "required": True,
                    "options": [],
                }
            ],
        },
    ],
    "linus": [_MEETING],
    "margaret": [_MEETING],
}
_JOHN = Invitee("John Doe", "john@example.com", "America/New_York", "+1 555 0100")
_MEI = Invitee("Mei Tanaka", "mei@example.com", "Asia/Tokyo")


class Command(BaseCommand):
    help = "Make the demo: four people, a team, meetings and bookings in every state. Once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing where there are people already"
        )
        parser.add_argument(
            "--tour",
            action="store_true",
            help="only print a login and a curl to try, with a new token",
        )

    def handle(self, *, if_empty: bool, tour: bool, **options: Any) -> None:
        keys.refuse_wrong()
        now = timezone.now()
        if tour:
            self._print_tour(now)
        elif not (if_empty and User.objects.exists()):
            seed(now)

    def _print_tour(self, now: datetime) -> None:
        """Print the tour, or nothing if the demo was changed so that its commands would fail."""
        team = Team.objects.filter(name=_TEAM).first()
        if team is None:
            return
        members = team.members.filter(is_active=True)
        ada, grace = (members.filter(email=f"{name}@example.com").first() for name in _ASKING)
        event_type = ada and ada.event_types.filter(is_active=True).first()
        if ada is None or grace is None or event_type is None:
            return
        _row, token = create_token(
            user=ada,
            name="make run",
            scopes=list(scopes.SCOPES),
            expires_at=now + timedelta(days=30),
            is_limited=False,  # each start makes one
        )
        self.stdout.write(
            _TOUR.format(
                password=_PASSWORD,
                url=settings.PUBLIC_URL,
                token=token,
                user_id=grace.pk,
                team_id=team.pk,
                event_type_id=event_type.pk,
                date=f"{now + timedelta(days=4):%Y-%m-%d} 14:00:00",
            )
        )


@transaction.atomic
def seed(now: datetime) -> None:
    """Create what is missing: people and team, their event types, meetings and bookings."""
    people = [_person(*fields) for fields in _PEOPLE]
    team, _created = Team.objects.get_or_create(name=_TEAM)
    for person, role in zip(people, ("owner", "manager", "member"), strict=False):
        Membership.objects.get_or_create(team=team, user=person, defaults={"role": role})
    for person in people:
        if not person.event_types.exists():
            for values in _EVENT_TYPES[person.username]:
                create_event_type(host=person, timezone=person.timezone, **values)
            if person.username == "grace":
                _meet_in_the_evening(person)
    if not MeetingRequest.objects.filter(team=team).exists():
        _meetings(team, *people[:3], now=now)
        _bookings(*people[:2], now=now)
        # What the demo shows is past, so nobody wants its emails. Reminders that are still due
        # stay.
        outbox.withdraw(Notification.objects.filter(due_at__lte=now), now=now)


def _person(
    username: str, first: str, last: str, zone: str, date_format: str, time_format: str
) -> User:
    email = f"{username}@example.com"
    existing = User.objects.filter(email=email).first()
    return existing or User.objects.create_user(
        email,
        _PASSWORD,
        username=username,
        first_name=first,
        last_name=last,
        timezone=zone,
        date_format=date_format,
        time_format=time_format,
    )


def _meet_in_the_evening(grace: User) -> None:
    """Let the first event type follow a schedule of its own."""
    evenings = grace.schedules.filter(name="Evenings").first() or create_schedule(
        user=grace,
        name="Evenings",
        days={str(day): {"start": "18:00", "end": "21:00"} for day in range(1, 6)},
    )
    first, _office_hours = grace.event_types.all()
    update_event_type(event_type=first, schedule=evenings)


def _meetings(team: Team, ada: User, grace: User, linus: User, *, now: datetime) -> None:
    """Create the meetings. Starts are wall-clock hours of the recipient.

    They lie between a week ago and six days ahead.
    """

    def ask(
        requester: User, recipient: User, days: int, hour: int, *, asked: datetime, link: str = ""
    ) -> MeetingRequest:
        day = now.astimezone(recipient.zone).date() + timedelta(days=days)
        return services.request_meeting(
            requester=requester,
            team_id=team.pk,
            recipient_id=recipient.pk,
            date=f"{day} {hour:02}:00",
            link=link,
            now=asked,
        )

    week_ago, yesterday = now - timedelta(days=7), now - timedelta(days=1)
    zoom = "https://zoom.us/j/1234567890"

    # One request each waits for Ada, Grace and Linus. Grace's request collides with the meeting
    # that Ada has confirmed with Linus.
    confirmed = ask(linus, ada, 2, 10, asked=yesterday, link=zoom)
    services.confirm(meeting=confirmed, actor=ada, now=yesterday)
    ask(grace, ada, 2, 10, asked=yesterday, link=zoom)
    ask(linus, ada, 3, 15, asked=yesterday)
    ask(ada, grace, 3, 11, asked=yesterday, link=zoom)
    ask(ada, linus, 4, 9, asked=yesterday)

    also_confirmed = ask(ada, grace, 5, 16, asked=yesterday, link=zoom)
    services.confirm(meeting=also_confirmed, actor=grace, now=yesterday)

    rejected = ask(grace, ada, 4, 13, asked=week_ago)
    services.reject(
        meeting=rejected, actor=ada, now=yesterday, reason="I am travelling that day. Friday?"
    )

    cancelled = ask(ada, linus, 5, 12, asked=week_ago, link=zoom)
    cancelled = services.confirm(meeting=cancelled, actor=linus, now=week_ago)
    services.cancel(meeting=cancelled, actor=ada, now=yesterday, reason="No longer needed.")

    completed = ask(grace, ada, -3, 14, asked=week_ago, link=zoom)
    completed = services.confirm(meeting=completed, actor=ada, now=week_ago)
    services.record_overdue(meeting=completed, now=now)

    expired = ask(linus, ada, -2, 9, asked=week_ago)
    services.record_overdue(meeting=expired, now=now)


def _bookings(ada: User, grace: User, *, now: datetime) -> None:
    """Create the bookings, at starts that were open when each was booked."""
    week_ago, yesterday = now - timedelta(days=7), now - timedelta(days=1)
    quick, strategy = ada.event_types.with_hours()
    _quick, office_hours = grace.event_types.with_hours()
    as_ada = bookings.host(ada)

    def book(event_type: EventType, invitee: Invitee, part: float, asked: datetime) -> Booking:
        return bookings.book(
            event_type=event_type,
            start=_open_start(event_type, part, asked),
            invitee=invitee,
            notes="Discuss project requirements",
            answers={question["name"]: "Compilers" for question in event_type.custom_fields},
            actor=bookings.INVITEE,
            now=asked,
        )

    book(quick, _JOHN, 0.45, yesterday)
    book(office_hours, _MEI, 0.5, yesterday)
    book(strategy, _MEI, 0.55, yesterday)

    moved = book(quick, _MEI, 0.6, yesterday)
    start = _open_start(quick, 0.75, yesterday)
    bookings.reschedule(booking=moved, start=start, actor=bookings.INVITEE, now=yesterday)

    rejected = book(strategy, _JOHN, 0.7, yesterday)
    bookings.reject(booking=rejected, actor=as_ada, now=now, reason="Friday suits me better.")

    cancelled = book(quick, _JOHN, 0.85, yesterday)
    bookings.cancel(booking=cancelled, actor=bookings.INVITEE, now=now, reason="I am ill.")

    for event_type in (quick, strategy):  # one takes place, the other waits for ever
        bookings.record_overdue(booking=book(event_type, _JOHN, 0.1, week_ago), now=now)


def _open_start(event_type: EventType, part: float, now: datetime) -> datetime:
    """Return an open start in the five days from `now` on.

    `part` (0 to 1) says how far into these days the start lies.
    """
    zone = event_type.zone
    today = now.astimezone(zone).date()
    days = availability.slots_by_date(
        event_type, zone=zone, first=today, last=today + timedelta(days=5), now=now
    )
    starts = [slot.start for _day, slots in days for slot in slots if not slot.reason]
    return availability.instant_of(starts[int(part * len(starts))])
