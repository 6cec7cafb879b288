"""State machine of bookings and meetings: no double booking, and every effect on record.

Hypothesis calls the services of bookings, meetings and overrides, and moves the clock. After each
step the test reads the database anew. It checks a few statements that do not know the steps.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import User
from calendars.models import BusyTime
from core.errors import DomainError, Invalid, InvalidTransition, TimeTaken
from meetings.domain import services as meeting_services
from meetings.models import MeetingRequest
from scheduling.domain import availability, bookings, services
from scheduling.models import Booking, EventType
from scheduling.models.enums import Change, Status
from scheduling.rules.hours import WindowText
from scheduling.rules.slots import Slot
from tests import factories
from tests.torture.conftest import sized

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = st.integers(0, 4)
TAKEN = {"busy", "buffer", "daily_limit"}
# From a status to those that may follow. A reschedule stays, or goes back to pending.
LEGAL = {
    "": {"pending", "confirmed"},
    "pending": {"pending", "confirmed", "rejected", "cancelled", "expired"},
    "confirmed": {"confirmed", "pending", "cancelled", "completed"},
}
HOLDS_TIME = {"pending", "confirmed", "completed"}


class Machine(RuleBasedStateMachine):
    stories: ClassVar[set[tuple[str, ...]]] = set()  # the changes that bookings went through

    @initialize()
    def begin(self) -> None:
        self.rolled_back = transaction.atomic()
        self.rolled_back.__enter__()
        self.now = MONDAY + timedelta(hours=7)
        self.alice, self.bob = factories.user("alice"), factories.user("bob")
        self.team = factories.team("Founders", self.alice, self.bob)
        quick = services.create_event_type(
            host=self.alice, name="Quick", duration=30, buffer_time_before=5, buffer_time_after=10
        )
        approved = services.create_event_type(
            host=self.alice, name="Long", duration=90, requires_approval=True, daily_limit=2
        )
        self.event_types = [
            EventType.objects.with_hours().get(pk=made.pk) for made in (quick, approved)
        ]
        self.changes = 0  # what must be on record
        for longer in (False, True):
            self.book(longer=longer, day=1, pick=3 * longer, by_host=False)

    def teardown(self) -> None:
        for booking in Booking.objects.all():
            self.stories.add(tuple(booking.history.values_list("change", flat=True)))
        transaction.set_rollback(True)
        self.rolled_back.__exit__(None, None, None)

    # --- what happens ---------------------------------------------------------------------------

    @rule(longer=st.booleans(), day=DAYS, pick=st.integers(0, 40), by_host=st.booleans())
    def book(self, longer: bool, day: int, pick: int, by_host: bool) -> None:
        event_type = self.event_types[longer]
        slot = self.slot(event_type, day, pick)
        if slot is None:
            return
        try:
            made = bookings.book(
                event_type=event_type,
                start=availability.instant_of(slot.start),
                invitee=bookings.Invitee("John Doe", "john@example.com", "Asia/Kathmandu"),
                actor=bookings.host(self.alice) if by_host else bookings.INVITEE,
                now=self.now,
            )
        except (TimeTaken, Invalid) as error:
            self.check_refusal(error, slot)
        else:
            assert not slot.reason
            assert made.status == ("pending" if longer else "confirmed")
            self.changes += 1

    @precondition(lambda self: Booking.objects.exists())
    @rule(
        which=st.integers(0, 9),
        door=st.sampled_from(["reject", "confirm", "cancel"]),
        by_host=st.sampled_from([True, True, False]),
    )
    def answer(self, which: int, door: str, by_host: bool) -> None:
        booking = self.booking(which)
        actor = bookings.host(self.alice) if by_host else bookings.INVITEE
        was, to = booking.status_at(self.now), {"confirm": "confirmed", "reject": "rejected"}
        wanted = to.get(door, "cancelled")
        again = (
            was == wanted
            and booking.history.filter(to_status=wanted, role=actor.role, actor=actor.user).exists()
        )
        from_here = {"cancel": {"pending", "confirmed"}}.get(
            door, {"pending"} if by_host else set()
        )
        try:
            moved = getattr(bookings, door)(booking=booking, actor=actor, now=self.now)
        except InvalidTransition as error:
            assert was not in from_here
            assert not again
            assert error.reason == was
        else:
            assert moved.status == wanted
            assert again or was in from_here
            self.changes += not again

    @precondition(lambda self: Booking.objects.exists())
    @rule(which=st.integers(0, 9), day=DAYS, pick=st.integers(0, 40), by_host=st.booleans())
    def reschedule(self, which: int, day: int, pick: int, by_host: bool) -> None:
        booking = self.booking(which)
        event_type = EventType.objects.with_hours().get(pk=booking.event_type_id)
        slot = self.slot(event_type, day, pick, moving=booking)
        if slot is None:
            return
        start, was = availability.instant_of(slot.start), booking.status_at(self.now)
        try:
            moved = bookings.reschedule(
                booking=booking,
                start=start,
                actor=bookings.host(self.alice) if by_host else bookings.INVITEE,
                now=self.now,
            )
        except InvalidTransition:
            assert was not in ("pending", "confirmed")
        except (TimeTaken, Invalid) as error:
            self.check_refusal(error, slot)
        else:
            same = start == booking.start
            back = not same and not by_host and event_type.requires_approval
            assert same or not slot.reason
            assert (moved.pk, moved.uuid, moved.start) == (booking.pk, booking.uuid, start)
            assert moved.status == ("pending" if back else was)
            assert moved.sequence == booking.sequence + (not same)
            self.changes += not same

    @rule(
        day=DAYS,
        windows=st.sampled_from(
            [[], [("10:00", "11:30")], [("06:00", "12:00"), ("14:00", "24:00")]]
        ),
    )
    def override(self, day: int, windows: Sequence[tuple[str, str]]) -> None:
        texts = [WindowText(start=start, end=end) for start, end in windows]
        services.set_override(user=self.alice, day=self.date(day), windows=texts)

    @rule(day=DAYS, quarter=st.integers(36, 66))
    def meet(self, day: int, quarter: int) -> None:
        """Let Bob ask Alice for an hour. Alice confirms if she can."""
        midnight = datetime.combine(self.date(day), time(), UTC)
        start = midnight + timedelta(days=1, minutes=15 * quarter)
        meeting = meeting_services.request_meeting(
            requester=self.bob,
            team_id=self.team.pk,
            recipient_id=self.alice.pk,
            date=start.isoformat(),
            link="",
            now=self.now,
        )
        free = not any(
            row.start < meeting.end.timestamp() and row.end > meeting.start.timestamp()
            for row in BusyTime.objects.all()
        )
        try:
            meeting_services.confirm(meeting=meeting, actor=self.alice, now=self.now)
        except TimeTaken:
            assert not free
        else:
            assert free

    @rule(hours=st.sampled_from([48, 1, 5, 200]), swept=st.sampled_from([True, True, False]))
    def time_passes(self, hours: int, swept: bool) -> None:
        self.now += timedelta(hours=hours)
        overdue = Booking.objects.overdue(self.now)
        for booking in overdue if swept else overdue.none():
            moved = bookings.record_overdue(booking=booking, now=self.now)
            assert moved.status == ("expired" if booking.status == "pending" else "completed")
            self.changes += 1

    # --- what always holds ----------------------------------------------------------------------

    @invariant()
    def nobody_is_booked_twice(self) -> None:
        rows = BusyTime.objects.order_by("user_id", "start").values_list("user_id", "start", "end")
        for (user, _start, end), (next_user, next_start, _end) in pairwise(rows):
            assert user != next_user or end <= next_start

    @invariant()
    def whatever_holds_time_has_its_row_and_nothing_else_has(self) -> None:
        held = Counter(BusyTime.objects.values_list("user_id", "start", "end"))
        due: Counter[tuple[int, int, int]] = Counter()
        for booking in Booking.objects.select_related("event_type", "busy_time"):
            assert (booking.busy_time is not None) == (booking.status in HOLDS_TIME)
            if booking.busy_time is not None:
                terms = booking.event_type.terms
                start, end = int(booking.start.timestamp()), int(booking.end.timestamp())
                due[(booking.host_id, start - terms.before, end + terms.after)] += 1
        for meeting in MeetingRequest.objects.filter(status=Status.CONFIRMED):
            for user in (meeting.requester_id, meeting.recipient_id):
                due[(user, int(meeting.start.timestamp()), int(meeting.end.timestamp()))] += 1
        assert held == due

    @invariant()
    def each_booking_keeps_its_newest_change_and_the_time_before_its_last_move(self) -> None:
        for booking in Booking.objects.prefetch_related("history"):
            entries = list(booking.history.all())
            last = entries[-1]
            assert (last.change, last.role, last.reason, last.at) == (
                booking.last_change,
                booking.last_by,
                booking.last_reason,
                booking.last_at,
            )
            moves = [pair for pair in pairwise(entries) if pair[1].change == Change.RESCHEDULED]
            before = (moves[-1][0].start, moves[-1][0].end) if moves else (None, None)
            assert (booking.previous_start, booking.previous_end) == before

    @invariant()
    def every_change_is_on_record_and_legal(self) -> None:
        recorded = 0
        for booking in Booking.objects.prefetch_related("history"):
            entries = list(booking.history.all())
            recorded += len(entries)
            assert [entry.sequence for entry in entries] == list(range(booking.sequence + 1))
            assert entries[0].from_status == ""
            for entry in entries:
                assert entry.to_status in LEGAL[entry.from_status]
            for earlier, later in pairwise(entries):
                assert later.from_status == earlier.to_status
            last = entries[-1]
            assert (last.to_status, last.start, last.end) == (
                booking.status,
                booking.start,
                booking.end,
            )
        assert recorded == getattr(self, "changes", 0)

    # --- how it is found ------------------------------------------------------------------------

    def date(self, day: int) -> date:
        return (self.now + timedelta(days=day)).date()

    def booking(self, which: int) -> Booking:
        rows = list(Booking.objects.order_by("id"))
        return rows[which % len(rows)]

    def slot(self, event_type: EventType, day: int, pick: int, **moving: Any) -> Slot | None:
        """Return one of a day's slots, open or closed."""
        days = availability.slots_by_date(
            event_type,
            zone=event_type.zone,
            first=self.date(day),
            last=self.date(day),
            now=self.now,
            **moving,
        )
        found = [slot for _day, slots in days for slot in slots]
        return found[pick % len(found)] if found else None

    def check_refusal(self, error: DomainError, slot: Slot) -> None:
        """A slot shown as closed is refused, for the reason shown."""
        assert slot.reason
        if slot.reason in TAKEN:
            assert (type(error), error.reason) == (TimeTaken, slot.reason)
        else:
            assert (type(error), error.field) == (Invalid, "start_time")


@pytest.mark.torture
@pytest.mark.fuzz
@pytest.mark.django_db
def test_whatever_happens() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=sized(300),
            stateful_step_count=50,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert not User.objects.exists()  # every example was rolled back
    seen = {change for story in Machine.stories for change in story}
    assert seen == set(Change.values)
