from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts import scopes
from accounts.models import Membership, Notification, Team, User
from accounts.services import create_token
from config import outbox
from meetings import services
from meetings.models import MeetingRequest

_PASSWORD = "demo-password"  # noqa: S105  printed for everybody to see
_PEOPLE = [
    ("ada", "Ada", "Lovelace", "America/New_York", "MM/dd/yyyy", "hh:mm a"),
    ("grace", "Grace", "Hopper", "Europe/London", "dd/MM/yyyy", "HH:mm"),
    ("linus", "Linus", "Pauling", "Asia/Kathmandu", "yyyy-MM-dd", "HH:mm"),
    ("margaret", "Margaret", "Hamilton", "America/Los_Angeles", "MM/dd/yyyy", "hh:mm a"),
]
_TEAM = "Founders"
_TOUR = """\
  Interactive API  {url}/api/docs
  Sign in as       ada@example.com, grace@example.com or linus@example.com
  with password    {password}

  Ask for a meeting:

    curl -s {url}/api/v3/meeting/create \\
      -H 'Authorization: Bearer {token}' \\
      -H 'Content-Type: application/json' \\
      -d '{{"user_id": {user_id}, "team_id": {team_id}, "date": "{date}", "link": "https://zoom.us/j/1234567890"}}'
"""


class Command(BaseCommand):
    help = "Make the demo: four people, the team Founders, meetings in every state. Once."

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
        now = timezone.now()
        if tour:
            self._print_tour(now)
        elif not (if_empty and User.objects.exists()):
            seed(now)

    def _print_tour(self, now: datetime) -> None:
        team = Team.objects.filter(name=_TEAM, members__email="ada@example.com").first()
        if team is None:
            return
        ada, grace = (team.members.get(username=name) for name in ("ada", "grace"))
        _row, token = create_token(
            user=ada,
            name="make run",
            scopes=list(scopes.SCOPES),
            expires_at=now + timedelta(days=30),
        )
        self.stdout.write(
            _TOUR.format(
                password=_PASSWORD,
                url=settings.PUBLIC_URL,
                token=token,
                user_id=grace.pk,
                team_id=team.pk,
                date=f"{now + timedelta(days=4):%Y-%m-%d} 14:00:00",
            )
        )


@transaction.atomic
def seed(now: datetime) -> None:
    """People and team where they are missing; meetings where the team has none."""
    people = [_person(*fields) for fields in _PEOPLE]
    team, _created = Team.objects.get_or_create(name=_TEAM)
    for person, role in zip(people, ("owner", "manager", "member"), strict=False):
        Membership.objects.get_or_create(team=team, user=person, defaults={"role": role})
    if not MeetingRequest.objects.filter(team=team).exists():
        _meetings(team, *people[:3], now=now)
        # What the demo tells of is past; nobody wants its mail. Reminders to come stay.
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


def _meetings(team: Team, ada: User, grace: User, linus: User, *, now: datetime) -> None:
    """Starts are wall-clock hours of the recipient, between a week ago and six days ahead."""

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

    # Wait for Ada, for Grace, for Linus; Grace's request meets what Ada has confirmed with Linus.
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
