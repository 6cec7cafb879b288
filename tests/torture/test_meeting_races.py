"""Races in meetings: many concurrent calls, each on its own connection."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import DecimalField

from accounts.models import Membership, Team, User
from calendars.domain import ledger, overlap
from calendars.models import BusyTime
from core.db.retrying import sqlstate
from core.errors import TimeTaken
from meetings.domain import services
from meetings.models import MeetingRequest
from notifications.models import Notification
from tests.torture.conftest import Report, sized
from tests.torture.races import at_once, kinds, overlaps

pytestmark = [pytest.mark.torture, pytest.mark.alone, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
START = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
HOUR = 3600


def ask(requester: User, recipient: User, team: Team, start: datetime = START) -> MeetingRequest:
    return services.request_meeting(
        requester=requester,
        team_id=team.pk,
        recipient_id=recipient.pk,
        date=start.isoformat(),
        link="",
        now=NOW,
    )


def history(meeting: MeetingRequest) -> list[tuple[str, str]]:
    return list(meeting.history.order_by("id").values_list("from_status", "to_status"))


def told(meeting: MeetingRequest, since: int) -> Counter[str]:
    """Return the kinds of emails enqueued after that row, without reminders."""
    rows = Notification.objects.filter(pk__gt=since, channel="email")
    rows = rows.exclude(kind__in=["meeting_reminder", "meeting_unanswered"])
    return Counter(rows.values_list("kind", flat=True))


def test_one_answer_wins(team: Team, alice: User, bob: User, report: Report) -> None:
    meeting = ask(alice, bob, team)
    newest = Notification.objects.latest("id").pk
    doors = [
        partial(services.confirm, meeting=meeting, actor=bob, now=NOW),
        partial(services.reject, meeting=meeting, actor=bob, now=NOW),
    ]
    size = sized(200)
    with report.line("confirm, reject: one request", f"{size} threads") as findings:
        outcomes = at_once([doors[number % 2] for number in range(size)])

        # The same answer again is no error; the other one is.
        assert kinds(outcomes) == {"MeetingRequest": size // 2, "InvalidTransition": size // 2}
        meeting.refresh_from_db()
        assert history(meeting) == [("", "pending"), ("pending", meeting.status)]
        assert meeting.sequence == 1
        wanted = {
            "confirmed": ({"meeting_confirmed": 2}, 4, 2),
            "rejected": ({"meeting_rejected": 1}, 0, 0),
        }
        reminders = Notification.objects.filter(kind="meeting_reminder").count()
        found = (told(meeting, newest), reminders, BusyTime.objects.count())
        assert found == wanted[meeting.status]
        findings["winner"] = meeting.status


def test_every_end_of_a_race_of_all_three_doors_is_a_legal_story(
    team: Team, alice: User, bob: User, report: Report
) -> None:
    size, rounds = sized(200), 10
    stories: Counter[str] = Counter()
    with report.line(
        "confirm, reject, cancel: one request", f"{rounds} rounds of {size} threads"
    ) as findings:
        for number in range(rounds):
            meeting = ask(alice, bob, team, START + timedelta(hours=number))
            newest = Notification.objects.latest("id").pk
            doors = [
                partial(services.confirm, meeting=meeting, actor=bob, now=NOW),
                partial(services.reject, meeting=meeting, actor=bob, now=NOW),
                partial(services.cancel, meeting=meeting, actor=alice, now=NOW),
            ]
            outcomes = at_once([doors[i % 3] for i in range(size)])

            assert set(kinds(outcomes)) == {"MeetingRequest", "InvalidTransition"}
            mails: dict[str, int]
            match history(meeting)[1:]:
                case [("pending", "rejected")]:
                    story, mails = "rejected", {"meeting_rejected": 1}
                case [("pending", "cancelled")]:
                    story, mails = "cancelled", {"meeting_cancelled": 1}
                case [("pending", "confirmed"), ("confirmed", "cancelled")]:
                    # Legal one after the other: a confirmed meeting can be cancelled.
                    story = "confirmed then cancelled"
                    mails = {"meeting_confirmed": 2, "meeting_cancelled": 2}
                case moves:
                    pytest.fail(f"not a legal story: {moves}")
            assert told(meeting, newest) == mails
            reminders = Notification.objects.filter(kind="meeting_reminder")
            assert set(reminders.values_list("state", flat=True)) <= {"withdrawn"}
            assert BusyTime.objects.count() == 0
            stories[story] += 1
        findings.update(stories)


def test_of_two_overlapping_meetings_one_is_confirmed(
    team: Team, alice: User, bob: User, charlie: User, report: Report
) -> None:
    """Bob is asked twice, or Alice asks and is asked: the meetings share one or both people."""
    Membership.objects.create(team=team, user=charlie)
    pairs = [
        ((alice, bob), (charlie, bob)),  # the same recipient
        ((alice, bob), (alice, charlie)),  # the same requester
        ((alice, bob), (charlie, alice)),  # asking here, asked there
        ((alice, bob), (bob, alice)),  # each other: both in common
    ]
    rounds = sized(200)
    with report.line("two overlapping confirmed at once", f"{rounds} rounds") as findings:
        for number in range(rounds):
            start = START + timedelta(hours=2 * number)
            meetings = [
                ask(requester, recipient, team, start + timedelta(minutes=30 * offset))
                for offset, (requester, recipient) in enumerate(pairs[number % len(pairs)])
            ]
            outcomes = at_once(
                [
                    partial(services.confirm, meeting=meeting, actor=meeting.recipient, now=NOW)
                    for meeting in meetings
                ]
            )
            assert kinds(outcomes) == {"MeetingRequest": 1, "TimeTaken": 1}
            for meeting, outcome in zip(meetings, outcomes, strict=True):
                meeting.refresh_from_db()
                won = isinstance(outcome, MeetingRequest)
                assert meeting.status == ("confirmed" if won else "pending")
                assert meeting.busy_times.count() == (2 if won else 0)
            assert BusyTime.objects.count() == 2 * (number + 1)
        assert overlaps() == 0
        findings["double bookings"] = 0


def test_claims_for_random_pairs_never_overlap_and_never_deadlock(
    transactional_db: None, report: Report
) -> None:
    """Few people and hours are used, and most claims end at once. So claims often collide."""
    people = [User.objects.create_user(f"person-{n}@example.com") for n in range(6)]
    threads, tries = sized(100), sized(2000)
    dice = random.Random(20)
    plans = [
        [
            (
                dice.sample(people, 2),
                START + timedelta(minutes=15 * dice.randrange(20)),
                dice.random() < 0.99,
            )
            for _ in range(tries // threads)
        ]
        for _ in range(threads)
    ]

    def claim(pair: list[User], start: datetime) -> list[int]:
        end = start + timedelta(hours=1)
        with transaction.atomic():
            ledger.lock_people(person.pk for person in pair)
            return [ledger.claim(user=person, start=start, end=end).pk for person in pair]

    def work(plan: list[tuple[list[User], datetime, bool]]) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        for pair, start, give_back in plan:
            try:
                rows = claim(pair, start)  # not by `retrying`: there shall be no deadlock
            except TimeTaken:
                outcomes["taken"] += 1
                continue
            outcomes["claimed"] += 1
            if give_back:
                ledger.release(rows)
                outcomes["given back"] += 1
        return outcomes

    with report.line("claims for random pairs", f"{threads} threads, {tries} tries") as findings:
        total: Counter[str] = Counter()
        for count in at_once([partial(work, plan) for plan in plans]):
            assert isinstance(count, Counter)
            total += count
        assert total["claimed"] + total["taken"] == tries
        assert (total["claimed"] - total["given back"]) * 2 == BusyTime.objects.count()
        assert min(total["claimed"], total["taken"]) > 0
        assert overlaps() == 0
        findings.update(total)


def test_booking_numbers_are_unique(team: Team, alice: User, bob: User, report: Report) -> None:
    threads, each = sized(100), 5

    def work() -> list[str]:
        return [ask(alice, bob, team).booking_number for _ in range(each)]

    with report.line("booking numbers", f"{threads} threads, {each} each") as findings:
        numbers: list[str] = []
        for batch in at_once([work] * threads):
            assert isinstance(batch, list)
            numbers += batch
        assert len(set(numbers)) == len(numbers) == threads * each
        assert all(number.startswith("MTG-20260302-") for number in numbers)
        assert min(len(number) for number in numbers) == len("MTG-20260302-001")
        findings["numbers"] = len(numbers)


def insert(person: User, start: int, end: int, *, exclusive: bool = True) -> None:
    """Insert a busy row directly, without the code that guards the table."""
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO calendars_busytime (user_id, "start", "end", exclusive)'
            " VALUES (%s, %s, %s, %s)",
            [person.pk, start * HOUR, end * HOUR, exclusive],
        )


def assert_the_database_refuses_overlaps(alice: User, bob: User) -> None:
    """Try overlapping rows; the database must refuse them. The rows made here are deleted again."""
    insert(alice, 10, 12)
    for start, end in ((10, 12), (9, 11), (11, 13), (9, 13), (10, 11), (11, 12)):
        with pytest.raises(IntegrityError, match=overlap.NAME), transaction.atomic():
            insert(alice, start, end)
    insert(alice, 12, 13)  # touches
    insert(alice, 9, 10)
    insert(bob, 10, 12)  # another's time
    insert(alice, 9, 13, exclusive=False)  # only blocks
    moved = BusyTime.objects.filter(user=alice, start=12 * HOUR)
    with pytest.raises(IntegrityError, match=overlap.NAME), transaction.atomic():
        moved.update(start=11 * HOUR)
    hardened = BusyTime.objects.filter(user=alice, exclusive=False)
    with pytest.raises(IntegrityError, match=overlap.NAME), transaction.atomic():
        hardened.update(exclusive=True)
    assert moved.update(end=14 * HOUR) == 1  # a row does not overlap itself
    BusyTime.objects.all().delete()


def test_the_database_itself_refuses_an_overlap(alice: User, bob: User) -> None:
    assert_the_database_refuses_overlaps(alice, bob)


def rebuild_table() -> None:
    """Rebuild the table, as SQLite's schema editor does for nearly every change of it."""
    field = BusyTime._meta.get_field("end")
    decimal = DecimalField(max_digits=20, decimal_places=0)
    decimal.set_attributes_from_name("end")
    decimal.model = BusyTime
    for old, new in ((field, decimal), (decimal, field)):
        with connection.schema_editor() as editor:
            editor.alter_field(BusyTime, old, new)


def drop_triggers() -> None:
    with connection.cursor() as cursor:
        for event in ("insert", "update"):
            cursor.execute(f"DROP TRIGGER {overlap.NAME}_{event}")


def rewrite_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL calendars_busytime")


SQLITE_LOSES_TRIGGERS_BY = [rebuild_table, drop_triggers]
POSTGRESQL_KEEPS_ITS_CONSTRAINT_AFTER = [rewrite_table]


@pytest.mark.parametrize(
    "harm",
    SQLITE_LOSES_TRIGGERS_BY
    if settings.EMBEDDED_DATABASE
    else POSTGRESQL_KEEPS_ITS_CONSTRAINT_AFTER,
)
def test_it_still_does_after_the_next_migrate(
    alice: User, bob: User, harm: Callable[[], None]
) -> None:
    harm()
    if harm in SQLITE_LOSES_TRIGGERS_BY:
        insert(alice, 10, 12)
        insert(alice, 10, 12)  # the harm was done
        BusyTime.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert_the_database_refuses_overlaps(alice, bob)


def test_two_that_look_before_either_writes_are_stopped_by_the_database(
    alice: User, report: Report
) -> None:
    """Both find the time free when they take no lock. Only the database can then refuse one."""
    rounds = sized(50)
    start = int(START.timestamp())

    def claim(number: int, gate: threading.Barrier) -> str:
        try:
            with transaction.atomic():
                if connection.vendor == "postgresql":
                    assert not BusyTime.objects.filter(start=start + number * HOUR).exists()
                    gate.wait(timeout=60)
                BusyTime.objects.create(
                    user=alice, start=start + number * HOUR, end=start + (number + 1) * HOUR
                )
        except (IntegrityError, OperationalError) as error:
            assert overlap.NAME in str(error) or sqlstate(error) == "40P01"
            return "refused"
        return "written"

    with report.line("raw inserts of one hour at once", f"{rounds} rounds") as findings:
        for number in range(rounds):
            gate = threading.Barrier(2)
            outcomes = at_once([partial(claim, number, gate)] * 2)
            assert sorted(map(str, outcomes)) == ["refused", "written"]
        assert overlaps() == 0
        findings["refused"] = rounds
