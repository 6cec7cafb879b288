"""Meeting services: from a request to its end, with permissions, times and consequences."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
import time_machine

from accounts.models import Team, User
from calendars.models import BusyTime
from core.db import crypto
from core.errors import DomainError, Forbidden, Invalid, InvalidTransition, NotFound, TimeTaken
from meetings.domain import services
from meetings.models import MeetingRequest
from meetings.models.enums import TRANSITIONS, Role
from meetings.tasks import sweep_meetings
from notifications.models import Notification, PushDevice
from scheduling.models.enums import Change, Status
from tests.outbox import content_of, rows, send

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
END = START + timedelta(hours=1)
AFTER_START = START + timedelta(minutes=1)
AFTER_END = END + timedelta(minutes=1)

Ask = Callable[..., MeetingRequest]


@pytest.fixture
def ask(team: Team, alice: User, bob: User) -> Ask:
    """Return a function by which Alice asks Bob, who is in UTC, for an hour at START."""

    def ask(
        requester: User = alice,
        recipient: User = bob,
        date: str = START.isoformat(),
        link: str = "",
    ) -> MeetingRequest:
        return services.request_meeting(
            requester=requester,
            team_id=team.pk,
            recipient_id=recipient.pk,
            date=date,
            link=link,
            now=NOW,
        )

    return ask


def history(meeting: MeetingRequest) -> list[tuple[str, str, str]]:
    return list(meeting.history.values_list("from_status", "to_status", "role"))


def sent_to(user: User) -> list[tuple[str, str]]:
    """Return kind and state of the emails to this person, oldest first."""
    return [(row.kind, row.state) for row in rows("email", user=user)]


def test_asking_writes_the_request_its_history_and_the_recipients_mail(
    ask: Ask, alice: User, bob: User
) -> None:
    meeting = ask(link="https://meet.example/x")

    assert (meeting.requester, meeting.recipient) == (alice, bob)
    assert (meeting.start, meeting.end) == (START, END)
    assert meeting.booking_number == "MTG-20260302-001"
    assert meeting.timezone == "UTC"
    assert meeting.status == Status.PENDING
    assert history(meeting) == [("", "pending", "requester")]
    assert sent_to(bob) == [("meeting_requested", "waiting")]
    assert sent_to(alice) == []
    assert not BusyTime.objects.exists()


def test_the_date_is_read_in_the_recipients_zone(ask: Ask, bob: User) -> None:
    bob.timezone = "Asia/Kathmandu"
    bob.save()
    meeting = ask(date="2026-03-04 10:00:00")
    assert meeting.timezone == "Asia/Kathmandu"
    assert meeting.start == datetime(2026, 3, 4, 4, 15, tzinfo=UTC)


def test_a_recipient_whose_zone_is_unknown_counts_as_utc(ask: Ask, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(timezone="Mars/Olympus")
    meeting = ask(date="2026-03-04 10:00:00")
    assert (meeting.timezone, meeting.start) == ("UTC", START)


def test_numbers_count_up_within_a_utc_day(ask: Ask) -> None:
    assert [ask().booking_number for _ in range(3)] == [
        "MTG-20260302-001",
        "MTG-20260302-002",
        "MTG-20260302-003",
    ]


def test_a_stranger_is_not_found_whether_or_not_they_exist(ask: Ask, charlie: User) -> None:
    for stranger_id in (charlie.pk, 10**30, -1):
        with pytest.raises(NotFound, match=r"^user not found$"):
            services.request_meeting(
                requester=ask().requester,
                team_id=ask().team_id,
                recipient_id=stranger_id,
                date="2026-03-04 10:00",
                link="",
                now=NOW,
            )


def test_a_team_that_the_requester_is_not_in_is_not_found(ask: Ask, charlie: User) -> None:
    with pytest.raises(NotFound, match=r"^team not found$"):
        ask(requester=charlie)


def test_nobody_asks_themself(ask: Ask, alice: User) -> None:
    with pytest.raises(Invalid, match="yourself"):
        ask(recipient=alice)


@pytest.mark.parametrize("date", [NOW.isoformat(), "2026-03-02 08:59:59", "1999-01-01 10:00"])
def test_a_date_that_has_passed_is_refused(ask: Ask, date: str) -> None:
    with pytest.raises(Invalid, match="past"):
        ask(date=date)


@pytest.mark.parametrize(
    "link",
    [
        "ftp://example.com/",
        "javascript:alert(1)",
        "zoom.us/j/1",
        "https://",
        "https:///path",
        "http://[::1",
        "http://host:99999999/",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://example.com/" + "a" * 1000,
    ],
)
def test_a_link_that_is_no_http_url_is_refused(ask: Ask, link: str) -> None:
    with pytest.raises(Invalid) as refusal:
        ask(link=link)
    assert refusal.value.field == "link"


def test_confirming_claims_the_time_of_both_and_tells_both(
    ask: Ask, alice: User, bob: User
) -> None:
    meeting = services.confirm(meeting=ask(), actor=bob, now=NOW)

    assert meeting.status == Status.CONFIRMED
    claimed = (int(START.timestamp()), int(END.timestamp()))
    assert list(BusyTime.objects.order_by("user_id").values_list("user", "start", "end")) == [
        (alice.pk, *claimed),
        (bob.pk, *claimed),
    ]
    reminders = [("meeting_reminder", "waiting")] * 2
    assert sent_to(alice) == [("meeting_confirmed", "waiting"), *reminders]
    assert sent_to(bob) == [
        ("meeting_requested", "waiting"),
        ("meeting_confirmed", "waiting"),
        *reminders,
    ]
    due = Notification.objects.filter(user=alice, kind="meeting_reminder").order_by("due_at")
    assert list(due.values_list("due_at", flat=True)) == [
        START - timedelta(days=1),
        START - timedelta(minutes=15),
    ]


def test_a_reminder_whose_time_has_passed_is_not_written(ask: Ask, alice: User, bob: User) -> None:
    services.confirm(meeting=ask(), actor=bob, now=START - timedelta(hours=2))
    reminders = Notification.objects.filter(user=alice, kind="meeting_reminder")
    assert [row.due_at for row in reminders] == [START - timedelta(minutes=15)]


def test_time_that_is_taken_cannot_be_confirmed_and_nothing_changes(
    ask: Ask, alice: User, bob: User
) -> None:
    services.confirm(meeting=ask(), actor=bob, now=NOW)
    overlapping = ask(date=(START + timedelta(minutes=30)).isoformat())
    before = Notification.objects.count()
    with pytest.raises(TimeTaken):
        services.confirm(meeting=overlapping, actor=bob, now=NOW)
    overlapping.refresh_from_db()
    assert (overlapping.status, overlapping.sequence) == (Status.PENDING, 0)
    assert BusyTime.objects.count() == 2
    assert Notification.objects.count() == before


def test_meetings_that_touch_do_not_overlap(ask: Ask, bob: User) -> None:
    services.confirm(meeting=ask(), actor=bob, now=NOW)
    services.confirm(meeting=ask(date=END.isoformat()), actor=bob, now=NOW)
    assert BusyTime.objects.count() == 4


def test_cancelling_a_confirmed_meeting_gives_the_time_back_and_withdraws_reminders(
    ask: Ask, alice: User, bob: User
) -> None:
    meeting = services.confirm(meeting=ask(), actor=bob, now=NOW)
    services.cancel(meeting=meeting, actor=alice, now=NOW, reason="Flu.")

    assert not BusyTime.objects.exists()
    reminders = Notification.objects.filter(kind="meeting_reminder")
    assert set(reminders.values_list("state", flat=True)) == {"withdrawn"}
    # Each has the cancellation, since each has the entry in their calendar.
    assert ("meeting_cancelled", "waiting") in sent_to(alice)
    assert ("meeting_cancelled", "waiting") in sent_to(bob)
    assert history(meeting) == [
        ("", "pending", "requester"),
        ("pending", "confirmed", "recipient"),
        ("confirmed", "cancelled", "requester"),
    ]


def test_taking_a_request_back_tells_the_recipient_alone(ask: Ask, alice: User, bob: User) -> None:
    services.cancel(meeting=ask(), actor=alice, now=NOW)
    assert sent_to(bob) == [("meeting_requested", "waiting"), ("meeting_cancelled", "waiting")]
    assert sent_to(alice) == []


def test_declining_tells_the_requester_why(ask: Ask, alice: User, bob: User) -> None:
    meeting = services.reject(meeting=ask(), actor=bob, now=NOW, reason="On holiday.")
    entry = meeting.history.get(to_status=Status.REJECTED)
    assert (entry.actor, entry.reason, entry.at) == (bob, "On holiday.", NOW)
    [mail] = rows("email", user=alice)
    assert "On holiday." in content_of(mail)["text"]


DOORS: dict[Status, Callable[..., MeetingRequest]] = {
    Status.CONFIRMED: services.confirm,
    Status.REJECTED: services.reject,
    Status.CANCELLED: services.cancel,
}


def brought_to(meeting: MeetingRequest, status: Status, alice: User, bob: User) -> MeetingRequest:
    match status:
        case Status.CONFIRMED:
            return services.confirm(meeting=meeting, actor=bob, now=NOW)
        case Status.REJECTED:
            return services.reject(meeting=meeting, actor=bob, now=NOW)
        case Status.CANCELLED:
            return services.cancel(meeting=meeting, actor=alice, now=NOW)
        case Status.EXPIRED:
            return services.record_overdue(meeting=meeting, now=meeting.start)
        case Status.COMPLETED:
            confirmed = services.confirm(meeting=meeting, actor=bob, now=NOW)
            return services.record_overdue(meeting=confirmed, now=meeting.end)
    return meeting


@pytest.mark.parametrize(("present", "to"), list(product(Status, DOORS)))
@pytest.mark.parametrize("role", [Role.REQUESTER, Role.RECIPIENT])
def test_only_the_moves_of_the_map_are_made(
    ask: Ask, alice: User, bob: User, present: Status, to: Status, role: Role
) -> None:
    meeting = brought_to(ask(), present, alice, bob)
    actor = alice if role is Role.REQUESTER else bob
    before = history(meeting)
    repeated = present == to and meeting.history.get(to_status=to).actor == actor

    def move() -> MeetingRequest:
        return DOORS[to](meeting=meeting, actor=actor, now=NOW)

    if role in TRANSITIONS[Change(to.value)].get(present, ()):
        assert history(move()) == [*before, (present, to, role)]
    elif repeated:
        assert history(move()) == before
    else:
        refusal: type[DomainError] = InvalidTransition
        if role is Role.REQUESTER and to in (Status.CONFIRMED, Status.REJECTED):
            refusal = Forbidden
        with pytest.raises(refusal):
            move()
        assert history(meeting) == before


def test_the_same_answer_again_changes_nothing(ask: Ask, bob: User) -> None:
    first = services.confirm(meeting=ask(), actor=bob, now=NOW)
    before = Notification.objects.count()
    again = services.confirm(meeting=first, actor=bob, now=NOW + timedelta(hours=1))
    assert (again.sequence, again.updated_at) == (first.sequence, first.updated_at)
    assert Notification.objects.count() == before


def test_a_request_expires_at_its_start_even_before_the_sweep(ask: Ask, bob: User) -> None:
    meeting = ask()
    assert meeting.status_at(START - timedelta(seconds=1)) == Status.PENDING
    assert meeting.status_at(START) == Status.EXPIRED
    with pytest.raises(InvalidTransition, match="expired"):
        services.confirm(meeting=meeting, actor=bob, now=START)


def test_a_meeting_that_is_over_can_no_longer_be_cancelled(
    ask: Ask, alice: User, bob: User
) -> None:
    meeting = services.confirm(meeting=ask(), actor=bob, now=NOW)
    with pytest.raises(InvalidTransition, match="completed"):
        services.cancel(meeting=meeting, actor=alice, now=END)


def test_an_answer_to_a_version_that_has_passed_is_refused(ask: Ask, bob: User) -> None:
    meeting = ask()
    with pytest.raises(InvalidTransition):
        services.confirm(meeting=meeting, actor=bob, now=NOW, sequence=1)


def test_the_sweep_records_expiry_and_completion_once(ask: Ask, alice: User, bob: User) -> None:
    expiring = ask()
    completing = services.confirm(meeting=ask(date=END.isoformat()), actor=bob, now=NOW)
    with time_machine.travel(END + timedelta(hours=2), tick=False):
        sweep_meetings()
        sweep_meetings()
    assert history(expiring) == [("", "pending", "requester"), ("pending", "expired", "clock")]
    assert history(completing)[-1] == ("confirmed", "completed", "clock")
    assert sent_to(alice).count(("meeting_expired", "waiting")) == 1
    assert sent_to(bob).count(("meeting_expired", "waiting")) == 1


@pytest.mark.parametrize("now", [NOW, AFTER_START, AFTER_END])
def test_every_meeting_is_in_exactly_one_status_at_a_time(
    ask: Ask, alice: User, bob: User, now: datetime
) -> None:
    for hour, status in enumerate(Status):
        brought_to(ask(date=(START + hour * timedelta(hours=1)).isoformat()), status, alice, bob)
    for meeting in MeetingRequest.objects.all():
        found = [
            status
            for status in Status
            if MeetingRequest.objects.in_status(status, now).filter(pk=meeting.pk).exists()
        ]
        assert found == [meeting.status_at(now)]


def test_staff_can_call_off_what_is_open_and_both_are_told(
    ask: Ask, alice: User, bob: User, charlie: User
) -> None:
    services.cancel_as_staff(meeting=ask(), actor=charlie, now=NOW)
    assert ("meeting_cancelled", "waiting") in sent_to(alice)
    assert ("meeting_cancelled", "waiting") in sent_to(bob)


def test_every_device_gets_its_own_push_message(ask: Ask, bob: User) -> None:
    for token in ("one", "two"):
        PushDevice.objects.create(user=bob, token=token, platform="ios")
    PushDevice.objects.create(user=bob, token="gone", platform="ios", is_active=False)
    ask()
    send()
    pushes = rows("push")
    assert [(row.kind, row.address) for row in pushes] == [
        ("meeting-created", crypto.digest("one")),
        ("meeting-created", crypto.digest("two")),
    ]


def test_a_party_finds_the_meeting_and_a_stranger_does_not(
    ask: Ask, alice: User, bob: User, charlie: User
) -> None:
    meeting = ask()
    assert services.find(meeting_id=meeting.pk, user=alice) == meeting
    assert services.find(meeting_id=meeting.pk, user=bob) == meeting
    with pytest.raises(NotFound):
        services.find(meeting_id=meeting.pk, user=charlie)
