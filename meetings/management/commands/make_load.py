import math
import random
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, pairwise
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Membership, Team, User
from calendars.models import BusyTime
from meetings.domain import numbering
from meetings.domain.services import DURATION
from meetings.management.rows import Rows, stored
from meetings.models import HistoryEntry, MeetingRequest
from meetings.models.enums import Role
from scheduling.models import Booking, EventType, Schedule, WeeklyAvailability
from scheduling.models import HistoryEntry as BookingEntry
from scheduling.models.enums import STANDING, Change, Status
from scheduling.models.enums import Role as BookingRole
from scheduling.models.lifecycle import LifecycleEntry, calendar_uid_of

_DOMAIN = "load.example"
_TEAM = 5
_HOSTS_AT_ONCE = 200 * _TEAM
_STRETCHES_AT_ONCE = 1000

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
# People's time is cut into stretches. A stretch holds one thing: a meeting of an hour, or a booking
# with its buffers. A booking starts after the longest buffer.
_STRETCH = 75 * _MINUTE
_LONGEST_BUFFER = 15 * _MINUTE
# Four of five used stretches are for bookings, and the fifth is for meetings. Five people have two
# of these at once, so there is one for every ten bookings.
_ROUND = 5
_SPREAD = 60 * _DAY
_LONGEST_LEAD = 14 * _DAY

_ALPHABET = string.ascii_lowercase + string.digits
_ZONES = ("America/New_York", "Europe/London", "Asia/Kathmandu", "America/Los_Angeles", "UTC")
_FIRST_NAMES = ("Amara", "Björn", "Chen", "Dolores", "Emil", "Farah", "Giulia", "Hiroshi")
_LAST_NAMES = ("Abebe", "Berg", "Castro", "Dubois", "Eze", "Fischer", "García", "Haddad")
_EVENT_TYPES: list[dict[str, Any]] = [
    {"name": "30 Minute Meeting", "slug": "30-minute-meeting"},
    {"name": "Follow-up", "slug": "follow-up", "buffer_time_before": 5, "buffer_time_after": 10},
    {
        "name": "Strategy Session",
        "slug": "strategy-session",
        "requires_approval": True,
        "buffer_time_before": _LONGEST_BUFFER // _MINUTE,
        "buffer_time_after": _LONGEST_BUFFER // _MINUTE,
    },
]

_MeetingTime = MeetingRequest.busy_times.through

# The statuses that were entered, each with its role. The first came from booking or asking.
Story = tuple[tuple[str, str], ...]


def _weighted(stories: Mapping[Story, int]) -> list[Story]:
    return [story for story, weight in stories.items() for _ in range(weight)]


_BOOKED = (Status.CONFIRMED, BookingRole.INVITEE)
_WANTED = (Status.PENDING, BookingRole.INVITEE)
_APPROVED = (Status.CONFIRMED, BookingRole.HOST)
_DECLINED = (Status.REJECTED, BookingRole.HOST)
_CANCELLED = (Status.CANCELLED, BookingRole.INVITEE)
_CANCELLED_BY_HOST = (Status.CANCELLED, BookingRole.HOST)
_COMPLETED = (Status.COMPLETED, BookingRole.CLOCK)
_EXPIRED = (Status.EXPIRED, BookingRole.CLOCK)
_BOOKINGS_PAST = _weighted(
    {
        (_BOOKED, _COMPLETED): 55,
        (_WANTED, _APPROVED, _COMPLETED): 20,
        (_BOOKED, _CANCELLED): 7,
        (_BOOKED, _CANCELLED_BY_HOST): 3,
        (_WANTED, _APPROVED, _CANCELLED): 3,
        (_WANTED, _DECLINED): 6,
        (_WANTED, _EXPIRED): 6,
    }
)
_BOOKINGS_TO_COME = _weighted(
    {
        (_BOOKED,): 63,
        (_WANTED, _APPROVED): 15,
        (_WANTED,): 12,
        (_BOOKED, _CANCELLED): 6,
        (_BOOKED, _CANCELLED_BY_HOST): 2,
        (_WANTED, _DECLINED): 2,
    }
)
_HELD = {Status.PENDING, Status.CONFIRMED, Status.COMPLETED}

_ASKED = (Status.PENDING, Role.REQUESTER)
_ACCEPTED = (Status.CONFIRMED, Role.RECIPIENT)
_REFUSED = (Status.REJECTED, Role.RECIPIENT)
_TAKEN_BACK = (Status.CANCELLED, Role.REQUESTER)
_CALLED_OFF = (Status.CANCELLED, Role.RECIPIENT)
_MEETINGS_PAST = _weighted(
    {
        (_ASKED, _ACCEPTED, (Status.COMPLETED, Role.CLOCK)): 65,
        (_ASKED, _ACCEPTED, _CALLED_OFF): 6,
        (_ASKED, _REFUSED): 12,
        (_ASKED, _TAKEN_BACK): 5,
        (_ASKED, (Status.EXPIRED, Role.CLOCK)): 12,
    }
)
_MEETINGS_TO_COME = _weighted(
    {
        (_ASKED, _ACCEPTED): 60,
        (_ASKED, _ACCEPTED, _CALLED_OFF): 5,
        (_ASKED,): 25,
        (_ASKED, _REFUSED): 5,
        (_ASKED, _TAKEN_BACK): 5,
    }
)

_REASONS: dict[str, str] = {
    Status.REJECTED: "Another day suits me better.",
    Status.CANCELLED: "Something has come up.",
}


class Command(BaseCommand):
    help = (
        "Fill a migrated database with hosts, bookings and meeting requests, past and to come, for"
        " benchmarks and to size a machine. Once, and while nothing else writes to it. Nobody is"
        " notified, and no webhook hears of it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bookings", type=int, default=100_000, help="by default 100000")
        parser.add_argument("--hosts", type=int, help="by default one a thousand bookings")

    def handle(self, *, bookings: int, hosts: int | None, **options: Any) -> None:
        if hosts is None:
            hosts = math.ceil(bookings / 1000)
        if bookings < 1 or hosts < 1:
            raise CommandError("There must be at least one booking and one host.")
        if User.objects.filter(email__endswith=f"@{_DOMAIN}").exists():
            raise CommandError(f"This database has hosts of {_DOMAIN} already. Use an empty one.")
        meetings = make(bookings=bookings, hosts=hosts, now=timezone.now())
        self.stdout.write(f"{hosts} hosts, {bookings} bookings, {meetings} meeting requests.")


def make(*, bookings: int, hosts: int, now: datetime) -> int:
    """Write the same rows on each run, around `now` (aware).

    Return the number of meeting requests.
    """
    dice = random.Random(1)  # noqa: S311  guards nothing
    rows = Rows(BusyTime, Booking, BookingEntry, MeetingRequest, HistoryEntry, _MeetingTime)
    share, more = divmod(bookings, hosts)
    for first in range(0, hosts, _HOSTS_AT_ONCE):
        numbers = range(first, min(first + _HOSTS_AT_ONCE, hosts))
        groups = _groups({number: share + (number < more) for number in numbers}, dice)
        used = _stretches(groups, int(now.timestamp()), dice)
        while batch := list(islice(used, _STRETCHES_AT_ONCE)):
            with transaction.atomic():
                for group, number, start in batch:
                    _fill(rows, group, number, start, int(now.timestamp()), dice)
                rows.write()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return rows.written[MeetingRequest]


# --- people -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Host:
    user: User
    event_types: list[EventType]
    past: int
    to_come: int


@dataclass(frozen=True)
class Group:
    """A team whose stretches are offset by `shift` seconds from the full hour."""

    team: Team
    hosts: list[Host]
    shift: int


@transaction.atomic
def _groups(bookings: Mapping[int, int], dice: random.Random) -> list[Group]:
    """Create hosts in teams of five. `bookings` maps a host's number to its number of bookings."""
    hosts = _hosts(bookings, dice)
    groups = [
        Group(
            team=Team(name=f"Team of {hosts[first].user.username}"),
            hosts=hosts[first : first + _TEAM],
            shift=dice.randrange(0, _STRETCH, 5 * _MINUTE),
        )
        for first in range(0, len(hosts), _TEAM)
    ]
    Team.objects.bulk_create([group.team for group in groups])
    roles = [Membership.Role.OWNER] + [Membership.Role.MEMBER] * (_TEAM - 1)
    Membership.objects.bulk_create(
        Membership(team=group.team, user=host.user, role=role)
        for group in groups
        for host, role in zip(group.hosts, roles, strict=False)
    )
    return groups


def _hosts(bookings: Mapping[int, int], dice: random.Random) -> list[Host]:
    """Create the hosts in bulk, with the rows that other accounts get one by one."""
    users = User.objects.bulk_create(
        User(
            uuid=_uuid("usr", dice),
            email=f"host-{number + 1:06}@{_DOMAIN}",
            username=f"load-{number + 1:06}",
            password=make_password(None),
            first_name=dice.choice(_FIRST_NAMES),
            last_name=dice.choice(_LAST_NAMES),
            timezone=dice.choice(_ZONES),
        )
        for number in bookings
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users
    )
    defaults = Schedule.objects.bulk_create(
        Schedule(user=user, name="Working hours") for user in users
    )
    WeeklyAvailability.objects.bulk_create(
        WeeklyAvailability(user=each.user, timezone=str(each.user.zone), default=each)
        for each in defaults
    )
    hosts = [
        Host(
            user,
            [_event_type(user, terms, dice) for terms in _EVENT_TYPES],
            past=share // 2,
            to_come=share - share // 2,
        )
        for user, share in zip(users, bookings.values(), strict=True)
    ]
    EventType.objects.bulk_create(offered for host in hosts for offered in host.event_types)
    return hosts


def _event_type(host: User, terms: dict[str, Any], dice: random.Random) -> EventType:
    uuid = _uuid("et", dice)
    return EventType(
        uuid=uuid, host=host, duration=30, timezone=host.timezone, max_advance_booking=90, **terms
    )


# --- when ---------------------------------------------------------------------------------------


def _stretches(
    groups: list[Group], now: int, dice: random.Random
) -> Iterator[tuple[Group, int, int]]:
    """Yield each used stretch: its group, its number counted from now, its start (epoch seconds).

    The latest stretch of each group comes first. SQLite reads all of a person's rows before a
    claim, so an insert is quick while the other rows lie after it. No stretch lies around `now`, so
    the sweep has nothing to record for the next hour.
    """
    hour = now - now % _HOUR
    for group in groups:
        longest = group.hosts[0]  # nobody has more than the first
        for number, place in reversed(_places(longest.to_come, dice)):
            yield group, number, hour + 2 * _HOUR + group.shift + place * _STRETCH
        for number, place in _places(longest.past, dice):
            yield group, number, hour - group.shift - (place + 1) * _STRETCH


def _places(bookings: int, dice: random.Random) -> list[tuple[int, int]]:
    """Spread bookings and their meetings evenly. Return pairs of a number and a stretch."""
    used = bookings + bookings // (_ROUND - 1)
    stretches = max(_SPREAD // _STRETCH, used)
    bounds = [number * stretches // max(used, 1) for number in range(used + 1)]
    return [(number, dice.randrange(*bound)) for number, bound in enumerate(pairwise(bounds))]


def _times(story: Story, start: int, end: int, now: int, dice: random.Random) -> list[int]:
    """Return when each status was entered. People act before the start and before now."""
    latest = min(start, now)
    lead = dice.randrange(_HOUR, _LONGEST_LEAD)
    by_time = {"expired": start, "completed": end}
    return [
        by_time.get(status) or latest - lead + lead * place // len(story)
        for place, (status, _role) in enumerate(story)
    ]


# --- bookings and meetings ----------------------------------------------------------------------


def _fill(rows: Rows, group: Group, number: int, start: int, now: int, dice: random.Random) -> None:
    """Fill one stretch of a team with a booking for each host that needs one, or with meetings."""
    turn, place = divmod(number, _ROUND)
    if place == _ROUND - 1:
        _meet(rows, group, start, now, dice)
        return
    for host in group.hosts:
        if turn * (_ROUND - 1) + place < (host.past if start < now else host.to_come):
            _book(rows, host, start + _LONGEST_BUFFER, now, dice)


def _book(rows: Rows, host: Host, start: int, now: int, dice: random.Random) -> None:
    story = dice.choice(_BOOKINGS_PAST if start < now else _BOOKINGS_TO_COME)
    *open_to_all, approving = host.event_types
    event_type = approving if story[0] == _WANTED else dice.choice(open_to_all)
    end = start + event_type.duration * _MINUTE
    span = {"start": stored(start), "end": stored(end)}
    times = _times(story, start, end, now, dice)
    status, role = story[-1]
    held = None
    if status in _HELD:
        held = rows.add(
            BusyTime,
            user_id=host.user.pk,
            start=start - event_type.buffer_time_before * _MINUTE,
            end=end + event_type.buffer_time_after * _MINUTE,
        )
    uuid = _uuid("evt", dice)
    booking = rows.add(
        Booking,
        uuid=uuid,
        calendar_uid=calendar_uid_of(uuid),
        event_type_id=event_type.pk,
        host_id=host.user.pk,
        invitee_name=f"{dice.choice(_FIRST_NAMES)} {dice.choice(_LAST_NAMES)}",
        invitee_email=f"guest-{dice.randrange(10_000):04}@{_DOMAIN}",
        made_by=BookingRole.INVITEE,
        last_change=status if len(story) > 1 else Change.CREATED.value,
        last_by=role,
        last_reason=_REASONS.get(status, ""),
        last_at=stored(times[-1]),
        timezone=dice.choice(_ZONES),
        status=status,
        sequence=len(story) - 1,
        busy_time_id=held,
        created_at=stored(times[0]),
        updated_at=stored(times[-1]),
        **span,
    )
    actors: dict[str, int] = {BookingRole.HOST: host.user.pk}
    _tell(rows, BookingEntry, story, times, actors, booking_id=booking, **span)


def _meet(rows: Rows, group: Group, start: int, now: int, dice: random.Random) -> None:
    """Make as many meetings at once as the team has pairs."""
    end = start + int(DURATION.total_seconds())
    span = {"start": stored(start), "end": stored(end)}
    people = [host.user for host in group.hosts]
    dice.shuffle(people)
    for requester, recipient in zip(people[::2], people[1::2], strict=False):
        story = dice.choice(_MEETINGS_PAST if start < now else _MEETINGS_TO_COME)
        times = _times(story, start, end, now, dice)
        status, _role = story[-1]
        number = numbering.next_number(datetime.fromtimestamp(times[0], UTC))
        meeting = rows.add(
            MeetingRequest,
            booking_number=number,
            calendar_uid=calendar_uid_of(number),
            requester_id=requester.pk,
            recipient_id=recipient.pk,
            team_id=group.team.pk,
            timezone=str(recipient.zone),
            link=f"https://meet.{_DOMAIN}/{dice.randrange(10**9):09}",
            status=status,
            sequence=len(story) - 1,
            created_at=stored(times[0]),
            updated_at=stored(times[-1]),
            **span,
        )
        for person in (requester, recipient) if status in STANDING else ():
            held = rows.add(BusyTime, user_id=person.pk, start=start, end=end)
            rows.add(_MeetingTime, meetingrequest_id=meeting, busytime_id=held)
        actors: dict[str, int] = {Role.REQUESTER: requester.pk, Role.RECIPIENT: recipient.pk}
        _tell(rows, HistoryEntry, story, times, actors, meeting_id=meeting, **span)


def _tell(
    rows: Rows,
    model: type[LifecycleEntry],
    story: Story,
    times: Sequence[int],
    actors: Mapping[str, int],
    **values: object,
) -> None:
    """The history that brought a booking or a meeting to where it is."""
    was = ""
    for sequence, ((to, role), at) in enumerate(zip(story, times, strict=True)):
        rows.add(
            model,
            sequence=sequence,
            change=to if sequence else Change.CREATED.value,
            from_status=was,
            to_status=to,
            actor_id=actors.get(role),
            role=role,
            reason=_REASONS.get(to, ""),
            at=stored(at),
            **values,
        )
        was = to


def _uuid(prefix: str, dice: random.Random) -> str:
    """Return an id as `core.db.ids` makes them, but the same on each run."""
    return f"{prefix}_{''.join(dice.choices(_ALPHABET, k=20))}"
