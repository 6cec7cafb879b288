"""Bookings that a change of hours would leave outside the working time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from core.errors import Invalid
from scheduling.domain import bookings, outside, services
from scheduling.domain.services import DayChange
from scheduling.models import Booking, EventType, Schedule
from scheduling.rules.hours import WindowText
from scheduling.rules.slots import Hours, Interval, Offer, Terms, is_working
from tests import factories
from tests.pages import NOW, START, everything
from tests.scheduling import oracle
from tests.scheduling.conftest import Book

UTC_ZONE = ZoneInfo("UTC")
NINE_TO_FIVE = (9 * 60, 17 * 60)
WORKDAYS = {number: [NINE_TO_FIVE] for number in range(1, 6)}
USUAL = Hours(zone=UTC_ZONE, weekly=WORKDAYS)
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def booked(start: str, minutes: int = 30) -> Booking:
    """Return an unsaved booking. Its times are in UTC."""
    return Booking(start=at(start), end=at(start) + timedelta(minutes=minutes))


def is_left(booking: Booking, before: Hours, after: Hours) -> bool:
    return outside.left_outside([booking], before=before, after=after) == [booking]


# --- the rule -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("windows", "left"),
    [
        ([(9 * 60, 17 * 60)], False),
        ([(10 * 60, 10 * 60 + 30)], False),  # to the minute
        ([(10 * 60 + 1, 17 * 60)], True),  # its first minute is outside
        ([(9 * 60, 10 * 60 + 29)], True),  # its last is
        ([(9 * 60, 10 * 60 + 15), (10 * 60 + 15, 17 * 60)], False),  # windows that touch are one
        ([(9 * 60, 10 * 60 + 15), (10 * 60 + 16, 17 * 60)], True),
        ([], True),
    ],
)
def test_every_minute_of_a_booking_must_be_working(windows: Sequence[Interval], left: bool) -> None:
    after = replace(USUAL, weekly=WORKDAYS | {3: windows})
    assert is_left(booked("2026-03-04T10:00"), USUAL, after) is left
    assert not is_left(booked("2026-03-05T10:00"), USUAL, after)


def test_what_lies_outside_already_is_no_news() -> None:
    assert not is_left(booked("2026-03-04T20:00"), USUAL, replace(USUAL, weekly={}))


def test_an_override_wins_over_the_week_before_and_after() -> None:
    sunday, booking = date(2026, 3, 8), booked("2026-03-08T10:00")
    open_sunday = replace(USUAL, overrides={sunday: [NINE_TO_FIVE]})
    assert is_left(booking, open_sunday, USUAL)
    assert is_left(booking, open_sunday, replace(USUAL, overrides={sunday: []}))
    assert not is_left(booking, open_sunday, replace(open_sunday, weekly={}))


def test_a_night_runs_on_over_midnight_where_both_days_touch_it() -> None:
    around = {number: [(0, 1440)] for number in range(1, 8)}
    night = booked("2026-03-04T23:45")
    before = replace(USUAL, weekly=around)
    assert not is_left(night, before, replace(before, weekly=around | {5: []}))
    assert is_left(night, before, replace(before, weekly=around | {4: []}))
    assert is_left(night, before, replace(before, weekly=around | {3: [(0, 1439)]}))
    assert not is_left(night, before, replace(before, weekly=around | {3: [(1425, 1440)]}))


def test_another_zone_moves_the_hours() -> None:
    morning, noon = booked("2026-03-04T09:00"), booked("2026-03-04T12:00")
    after = replace(USUAL, zone=ZoneInfo("America/New_York"))  # 14:00 to 22:00 UTC
    assert outside.left_outside([morning, noon], before=USUAL, after=after) == [morning, noon]
    berlin = replace(USUAL, zone=BERLIN)  # 08:00 to 16:00 UTC
    late = booked("2026-03-04T15:45")
    assert outside.left_outside([morning, late], before=USUAL, after=berlin) == [late]


def test_a_zone_with_summer_time_moves_them_by_the_date() -> None:
    winter, summer = booked("2026-03-27T15:30"), booked("2026-03-30T15:30")
    berlin = replace(USUAL, zone=BERLIN)  # until 16:00 UTC, from 29 March until 15:00
    assert outside.left_outside([winter, summer], before=USUAL, after=berlin) == [summer]


def test_the_hour_that_a_clock_skips_holds_no_booking_apart() -> None:
    around = {number: [(0, 1440)] for number in range(1, 8)}
    over_the_gap = booked("2026-03-29T00:30", 60)  # 01:30 until 03:30 on Berlin's clock
    before = Hours(zone=BERLIN, weekly=around)
    gap = replace(before, overrides={date(2026, 3, 29): [(0, 120), (180, 1440)]})
    assert not is_left(over_the_gap, before, gap)
    wider = replace(before, overrides={date(2026, 3, 29): [(0, 120), (181, 1440)]})
    assert is_left(over_the_gap, before, wider)


def test_the_hour_that_a_clock_repeats_is_working_twice() -> None:
    around = {number: [(0, 1440)] for number in range(1, 8)}
    second = booked("2026-10-25T01:00")  # 02:00 in Berlin, for the second time
    before = Hours(zone=BERLIN, weekly=around)
    hour = replace(before, overrides={date(2026, 10, 25): [(120, 180)]})
    assert not is_left(second, before, hour)
    other = replace(before, overrides={date(2026, 10, 25): [(0, 120)]})
    assert is_left(second, before, other)


_WINDOWS = st.lists(
    st.tuples(st.integers(0, 95), st.integers(1, 96))
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: (pair[0] * 15, pair[1] * 15)),
    max_size=3,
)


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    weekly=st.fixed_dictionaries(dict.fromkeys(range(1, 8), _WINDOWS)),
    # Around the changes of these clocks in spring and autumn.
    day=st.sampled_from([date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 4)]),
    start=st.integers(0, 48 * 4).map(lambda quarters: quarters * 15),
    minutes=st.integers(1, 16).map(lambda quarters: quarters * 15),
)
def test_it_is_the_working_time_of_the_slot_rule(
    zone: str, weekly: Mapping[int, Sequence[Interval]], day: date, start: int, minutes: int
) -> None:
    hours = Hours(zone=ZoneInfo(zone), weekly=weekly)
    first = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + start * 60
    terms = Terms(duration=minutes * 60, step=60)
    offer = Offer(hours=hours, terms=terms, busy=[], booked={}, now=0)
    is_outside = oracle.judge(offer, first) == "outside_hours"
    assert is_working(hours, first, first + minutes * 60) is not is_outside


# --- what stands in the database ------------------------------------------------------------------


OFF = {"3": DayChange(enabled=False)}


def changed(
    user: User,
    days: Mapping[str, DayChange] = OFF,
    timezone: str = "",
    agreed: Sequence[str] = (),
) -> list[Booking]:
    default = user.weekly_availability.default
    return outside.set_hours(schedule=default, days=days, timezone=timezone, agreed=agreed, now=NOW)


def days_on(user: User) -> str:
    user.weekly_availability.refresh_from_db()
    return "".join(sorted(str(number) for number in user.weekly_availability.default.windows))


@pytest.mark.django_db
def test_hours_that_leave_nothing_outside_are_saved(alice: User, booking: Booking) -> None:
    assert changed(alice, {"4": DayChange(enabled=False)}) == []
    assert days_on(alice) == "1235"


@pytest.mark.django_db
def test_what_would_be_left_outside_is_told_and_nothing_is_saved(
    alice: User, booking: Booking
) -> None:
    before = everything()
    assert changed(alice) == [booking]
    assert changed(alice, {}, timezone="Asia/Tokyo") == [booking]
    assert everything() == before


@pytest.mark.django_db
def test_what_the_host_was_told_of_stands_in_the_way_no_more(alice: User, booking: Booking) -> None:
    before = Booking.objects.values().get()
    assert changed(alice, agreed=[outside.mark(booking)]) == []
    assert days_on(alice) == "1245"
    assert Booking.objects.values().get() == before


@pytest.mark.django_db
def test_it_is_told_again_once_it_has_changed(alice: User, booking: Booking, book: Book) -> None:
    agreed = [outside.mark(booking)]
    other = book(start=START + HOUR)
    assert changed(alice, agreed=agreed) == [booking, other]
    bookings.cancel(booking=other, actor=bookings.INVITEE, now=NOW)
    moved = bookings.reschedule(
        booking=booking, start=START + HOUR, actor=bookings.INVITEE, now=NOW
    )
    assert changed(alice, agreed=agreed) == [moved]
    assert days_on(alice) == "12345"


@pytest.mark.django_db
def test_that_fewer_are_left_than_were_told_is_fine(
    alice: User, booking: Booking, book: Book
) -> None:
    agreed = [outside.mark(each) for each in (booking, book(start=START + HOUR))]
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=NOW)
    assert changed(alice, agreed=agreed) == []


@pytest.mark.django_db
def test_those_that_wait_for_approval_count_and_those_that_are_over_do_not(
    alice: User, approved: EventType, book: Book
) -> None:
    pending, rejected, cancelled = (book(approved, start=START + n * HOUR) for n in range(3))
    bookings.reject(booking=rejected, actor=bookings.host(alice), now=NOW)
    bookings.cancel(booking=cancelled, actor=bookings.INVITEE, now=NOW)
    assert changed(alice) == [pending]


@pytest.mark.django_db
def test_what_has_begun_does_not_count(alice: User, booking: Booking) -> None:
    default = alice.weekly_availability.default
    left = outside.set_hours(schedule=default, days=OFF, timezone="", agreed=(), now=START)
    assert left == []


@pytest.mark.django_db
def test_the_bookings_of_others_do_not_count(alice: User, bob: User) -> None:
    factories.booking(factories.event_type(bob), start=START, now=NOW)
    assert changed(alice) == []


@pytest.mark.django_db
def test_the_days_of_an_event_type_are_not_asked(alice: User, booking: Booking) -> None:
    services.update_event_type(event_type=booking.event_type, available_days=[1])
    assert changed(alice, {"4": DayChange(enabled=False)}) == []
    assert changed(alice) == [booking]


@pytest.mark.django_db
def test_an_override_keeps_what_the_week_gives_up(alice: User, booking: Booking) -> None:
    services.set_override(
        user=alice, day=START.date(), windows=[{"start": "10:00", "end": "11:00"}]
    )
    assert changed(alice) == []


@pytest.mark.django_db
def test_hours_that_are_none_are_refused_and_nothing_is_saved(alice: User) -> None:
    with pytest.raises(Invalid):
        changed(alice, {"1": DayChange(windows=[{"start": "10:00", "end": "09:00"}])})
    with pytest.raises(Invalid):
        changed(alice, {}, timezone="Mars/Base")


@pytest.mark.django_db
def test_a_day_off_tells_too_and_so_does_its_end(alice: User, book: Book) -> None:
    sunday = date(2026, 3, 8)

    def override(windows: list[WindowText] | None, *agreed: str) -> list[Booking]:
        return outside.set_override(
            user=alice,
            day=sunday,
            windows=windows,
            agreed=agreed,
            now=NOW,
        )

    assert override([{"start": "09:00", "end": "12:00"}]) == []
    booking = book(start=START + timedelta(days=4))
    assert override([]) == [booking]
    assert override(None) == [booking]
    assert override([{"start": "10:00", "end": "10:30"}]) == []
    assert override([{"start": "10:00", "end": "10:29"}]) == [booking]
    assert [tuple(window) for window in alice.date_overrides.get().windows] == [(600, 630)]
    assert override(None, outside.mark(booking)) == []
    assert not alice.date_overrides.exists()
    assert override(None) == []  # it had none


# --- schedules ------------------------------------------------------------------------------------


EVENING = START + timedelta(hours=8)  # 18:00


@pytest.fixture
def late(alice: User, evenings: Schedule) -> Booking:
    """Return a booking of an event type that follows the evenings."""
    event_type = factories.event_type(alice, name="Late", schedule=evenings)
    return factories.booking(event_type, start=EVENING, now=NOW)


@pytest.mark.django_db
def test_a_change_of_a_schedule_leaves_what_follows_another_one(
    alice: User, booking: Booking, late: Booking, evenings: Schedule
) -> None:
    def off(schedule: Schedule) -> list[Booking]:
        return outside.set_hours(schedule=schedule, days=OFF, timezone="", agreed=(), now=NOW)

    before = everything()
    assert off(alice.weekly_availability.default) == [booking]
    assert off(evenings) == [late]
    assert everything() == before


@pytest.mark.django_db
def test_another_zone_and_a_single_date_leave_bookings_of_all_schedules(
    alice: User, booking: Booking, late: Booking
) -> None:
    assert changed(alice, {}, timezone="Asia/Tokyo") == [booking, late]
    left = outside.set_override(user=alice, day=START.date(), windows=[], agreed=(), now=NOW)
    assert left == [booking, late]


@pytest.mark.django_db
def test_another_default_leaves_what_followed_the_default_before(
    alice: User, booking: Booking, late: Booking, evenings: Schedule
) -> None:
    def make(*agreed: str) -> list[Booking]:
        return outside.make_default(schedule=evenings, agreed=agreed, now=NOW)

    before = everything()
    assert make() == [booking]
    assert everything() == before
    assert make(outside.mark(booking)) == []
    alice.weekly_availability.refresh_from_db()
    assert alice.weekly_availability.default == evenings
    assert make() == []  # it is the default already


@pytest.mark.django_db
def test_a_change_of_the_default_leaves_what_has_a_schedule_of_its_own(
    alice: User, booking: Booking
) -> None:
    nights = services.create_schedule(user=alice, name="As before")
    services.update_event_type(event_type=booking.event_type, schedule=nights)
    assert changed(alice) == []
    assert days_on(alice) == "1245"
