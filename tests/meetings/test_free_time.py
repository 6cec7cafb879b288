"""Times at which two people could meet."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from meetings.domain import free_time
from meetings.domain.free_time import Fit
from scheduling.domain.services import DayChange, set_hours, set_override
from tests import factories
from tests.pages import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now", "team")]

DAY = date(2026, 3, 5)  # a Thursday; both work from 9:00 to 17:00 in UTC
HOUR = timedelta(hours=1)


def at(hour: float, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + hour * HOUR


def found(
    alice: User, bob: User, *, first: date = DAY, last: date = DAY, now: datetime = NOW
) -> dict[datetime, bool]:
    """Return the open starts of these dates in UTC, and whether each is in Bob's hours."""
    starts = free_time.open_starts(
        requester=alice, recipient=bob, zone=ZoneInfo("UTC"), first=first, last=last, now=now
    )
    return {datetime.fromtimestamp(start, UTC): fit.is_in_hours for start, fit in starts.items()}


def halves(since: float, until: float) -> list[datetime]:
    """Return every half hour from one hour of the day to another, both included."""
    return [at(number / 2) for number in range(int(since * 2), int(until * 2) + 1)]


def test_a_whole_hour_of_the_mates_day_is_offered_every_half_hour(alice: User, bob: User) -> None:
    assert found(alice, bob) == dict.fromkeys(halves(9, 16), True)


def test_what_is_taken_of_either_is_closed(alice: User, bob: User) -> None:
    factories.booking(factories.event_type(bob), start=at(10), now=NOW)
    mine = factories.read_calendar(alice)
    factories.entry(mine, start=at(14), end=at(15))
    free = [*halves(9, 9), *halves(10.5, 13), *halves(15, 16)]
    assert found(alice, bob) == dict.fromkeys(free, True)


def test_the_requesters_own_hours_are_offered_too_and_told_apart(alice: User, bob: User) -> None:
    early = {str(day): DayChange(enabled=True, start="06:00", end="10:00") for day in range(1, 8)}
    set_hours(user=alice, days=early)
    own = dict.fromkeys(halves(6, 8.5), False)
    assert found(alice, bob) == own | dict.fromkeys(halves(9, 16), True)


def test_date_specific_hours_win_and_a_day_off_leaves_ones_own(alice: User, bob: User) -> None:
    set_override(user=bob, day=DAY, windows=[])
    assert found(alice, bob) == dict.fromkeys(halves(9, 16), False)
    set_override(user=alice, day=DAY, windows=[{"start": "20:00", "end": "21:00"}])
    assert found(alice, bob) == {at(20): False}


def test_neither_the_past_nor_the_present_second_is_offered(alice: User, bob: User) -> None:
    assert next(iter(found(alice, bob, now=at(11)))) == at(11.5)
    assert found(alice, bob, first=date(2026, 3, 2), last=date(2026, 3, 3), now=at(11)) == {}


def test_nothing_is_offered_beyond_sixty_days(alice: User, bob: User) -> None:
    last = max(found(alice, bob, first=date(2026, 4, 27), last=date(2026, 5, 31)))
    assert last == at(16, date(2026, 5, 1))


@pytest.mark.parametrize(
    ("start", "fit"),
    [
        (at(10), Fit(is_free=True, is_in_hours=True)),
        (at(10.25), Fit(is_free=True, is_in_hours=True)),
        (at(16.5), Fit(is_free=True, is_in_hours=False)),
        (at(12.5), Fit(is_free=False, is_in_hours=True)),
        (at(3), Fit(is_free=True, is_in_hours=False)),
        (at(14), Fit(is_free=True, is_in_hours=True)),
    ],
)
def test_how_a_typed_start_suits_both(alice: User, bob: User, start: datetime, fit: Fit) -> None:
    mine = factories.read_calendar(alice)
    factories.entry(mine, start=at(13), end=at(14))
    assert free_time.fit_of(requester=alice, recipient=bob, start=start) == fit


def test_an_account_without_hours_has_no_open_ones(alice: User) -> None:
    [dora] = User.objects.bulk_create([User(email="d@example.com", username="dora", password="!")])
    assert set(found(alice, dora).values()) == {False}


@pytest.mark.parametrize("taken", [0, 3])
def test_it_takes_three_queries_whatever_is_taken(
    alice: User,
    bob: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    taken: int,
) -> None:
    busy(bob, range(taken))
    with django_assert_num_queries(3):
        found(alice, bob)
    with django_assert_num_queries(3):
        free_time.fit_of(requester=alice, recipient=bob, start=at(10))


def busy(person: User, hours: Iterable[int]) -> None:
    offered = factories.event_type(person)
    for hour in hours:
        factories.booking(offered, start=at(9 + hour), now=NOW)
