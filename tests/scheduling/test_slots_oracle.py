"""Slot engine against a naive oracle: no difference for any hours, zones and rows."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduling.rules.slots import Hours, Offer, Query, Terms, find_slots, judge_start
from tests.scheduling import oracle
from tests.scheduling.test_slots import (
    ALL_DAY,
    DAY,
    HOUR,
    LONG_AGO,
    MINUTE,
    MONDAY,
    UTC_ZONE,
    at,
    days,
    every,
)
from tests.torture.conftest import FULL

NASTY = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Caracas",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Recife",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Fakaofo",
    "Pacific/Kiritimati",
    "Pacific/Niue",
]
ALL_ZONES = sorted(available_timezones() - {"localtime"})


@lru_cache
def change_days(name: str) -> list[date]:
    """Return the UTC dates from 2000 to 2040 near which this zone's clock changes."""
    zone = ZoneInfo(name)
    looks = range(at("2000-01-01", UTC_ZONE), at("2040-12-31", UTC_ZONE), 3 * DAY)
    offsets = [datetime.fromtimestamp(look, zone).utcoffset() for look in looks]
    return [
        datetime.fromtimestamp(_change(zone, look), UTC).date()
        for look, (before, after) in zip(looks, pairwise(offsets), strict=False)
        if before != after
    ] or [MONDAY]


def _change(zone: ZoneInfo, look: int) -> int:
    offset = datetime.fromtimestamp(look, zone).utcoffset()
    while datetime.fromtimestamp(look, zone).utcoffset() == offset:
        look += HOUR
    return look


@dataclass(frozen=True)
class Case:
    """Query near a change of the host's clock. `midnight` is midnight UTC on that day."""

    midnight: int
    offer: Offer
    query: Query


zone_names = st.one_of(st.sampled_from(NASTY), st.sampled_from(ALL_ZONES))
minutes_of_day = st.one_of(
    st.integers(0, 16).map(lambda n: n * 15),  # clocks mostly change at night
    st.integers(0, 48).map(lambda n: n * 30),
    st.integers(0, 1440),
)
some_windows = st.one_of(
    st.just([ALL_DAY]),
    st.lists(
        st.one_of(
            st.tuples(minutes_of_day, minutes_of_day).map(lambda pair: (min(pair), max(pair))),
            minutes_of_day.map(lambda end: (0, end)),
            minutes_of_day.map(lambda start: (start, 1440)),
        ),
        max_size=3,
    ),
)
lengths = st.sampled_from([15, 20, 25, 30, 45, 60, 90, 100, 480])
buffers = st.sampled_from([0, 5, 10, 30, 61])
busy_rows = st.tuples(
    st.one_of(
        st.integers(-72, 96).map(lambda n: n * HOUR // 2),
        st.integers(-2 * DAY, 3 * DAY),
    ),
    st.one_of(
        st.sampled_from([0, 15 * MINUTE, 30 * MINUTE, HOUR, 8 * HOUR]),
        st.integers(0, DAY),
    ),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    name = draw(zone_names)
    changes = change_days(name)
    day = changes[draw(st.integers(0, len(changes) - 1))]
    midnight = at(day.isoformat(), UTC_ZONE)
    near = st.integers(-2, 2).map(lambda n: day + timedelta(days=n))
    around = st.integers(-8, 8).map(lambda n: day + timedelta(days=n))
    first = draw(near)
    usual, other = draw(some_windows), draw(some_windows)
    query = Query(
        ZoneInfo(draw(st.one_of(st.just(name), zone_names))),
        first,
        first + timedelta(days=draw(st.integers(0, 2))),
    )
    offer = Offer(
        hours=Hours(
            ZoneInfo(name),
            {n: other if n in (2, 5) else usual for n in range(1, 8)},
            draw(st.dictionaries(near, some_windows, max_size=2)),
            draw(st.one_of(st.just({1, 2, 3, 4, 5, 6, 7}), st.sets(st.integers(1, 7)))),
        ),
        terms=Terms(
            duration=MINUTE * draw(st.one_of(lengths, st.integers(15, 480))),
            step=MINUTE * draw(st.one_of(lengths, st.integers(10, 480))),
            before=MINUTE * draw(buffers),
            after=MINUTE * draw(buffers),
            notice=HOUR * draw(st.sampled_from([0, 0, 1, 24])),
            horizon=draw(st.sampled_from([60, 0, 1, 2, 3])),
            daily_limit=draw(st.sampled_from([None, 0, 1, 2])),
            weekly_limit=draw(st.sampled_from([None, 1, 2, 4])),
        ),
        busy=[
            (midnight + start, midnight + start + length)
            for start, length in draw(st.lists(busy_rows, max_size=6))
        ],
        booked=draw(st.dictionaries(around, st.integers(0, 2), max_size=4)),
        now=midnight + draw(st.one_of(st.integers(-4 * DAY, 2 * DAY), st.just(-3 * DAY))),
    )
    return Case(midnight, offer, query)


def near_a_change(full: int) -> settings:
    """Return settings with a fiftieth of the examples, except at full size: the oracle is slow."""
    return settings(
        max_examples=full if FULL else full // 50, suppress_health_check=[HealthCheck.too_slow]
    )


@pytest.mark.torture
@near_a_change(20_000)
@given(cases())
def test_the_engine_finds_what_the_oracle_finds(case: Case) -> None:
    found = find_slots(case.offer, case.query)
    assert found == oracle.slots(case.offer, case.query)
    # No duplicate instant, and in order.
    assert all(slot.start < following.start for slot, following in pairwise(found))


@pytest.mark.torture
@near_a_change(5_000)
@given(cases(), st.integers(-24 * 12, 48 * 12))
def test_one_start_is_judged_as_the_oracle_judges_it(case: Case, fives: int) -> None:
    start = case.midnight + fives * 5 * MINUTE
    assert judge_start(case.offer, start) == oracle.judge(case.offer, start)


@pytest.mark.torture
@near_a_change(10_000)
@given(cases(), st.randoms(use_true_random=False), zone_names)
def test_nothing_but_the_rule_matters(case: Case, dice: random.Random, viewer: str) -> None:
    offer, query = case.offer, case.query
    found = find_slots(offer, query)
    length = (query.last - query.first).days
    dates = [query.first + timedelta(days=n) for n in range(length + 1)]

    shuffled = replace(offer, busy=dice.sample(list(offer.busy), len(offer.busy)))
    assert find_slots(shuffled, query) == found

    # Each date by itself.
    one_by_one = [find_slots(offer, Query(query.zone, day, day)) for day in dates]
    assert sorted(slot for part in one_by_one for slot in part) == found

    # Another viewer, who asks from another start, sees the same.
    two_days = timedelta(days=2)
    wider = Query(ZoneInfo(viewer), query.first - two_days, query.last + two_days)
    assert [
        slot
        for slot in find_slots(offer, wider)
        if datetime.fromtimestamp(slot.start, query.zone).date() in dates
    ] == found

    # `judge_start` gives the reason that the slot shows.
    for slot in dice.sample(found, min(len(found), 5)):
        assert judge_start(offer, slot.start) == slot.reason

    # What lies beyond the reach of the query is of no account.
    since, until = query.reach(offer.terms)
    beyond = replace(offer, busy=[*offer.busy, (since - DAY, since), (until, until + DAY)])
    assert find_slots(beyond, query) == found
    for slot in found:
        whole_date = days(offer.hours.date_at(slot.start), zone=offer.hours.zone).instants()
        assert since <= whole_date[0][0]
        assert whole_date[-1][1] <= until
        if offer.terms.weekly_limit is not None:
            own = offer.hours.date_at(slot.start)
            monday = own - timedelta(days=own.weekday())
            week = Query(offer.hours.zone, monday, monday + timedelta(days=6)).instants()
            assert since <= week[0][0]
            assert week[-1][1] <= until


@pytest.mark.torture
def test_every_zone_agrees_with_the_oracle_near_its_changes() -> None:
    """Each zone of the tz database is tested at one change (ten at full size), with night hours."""
    for seed in range(10 if FULL else 1):
        dice = random.Random(seed)
        for name in ALL_ZONES:
            zone, day = ZoneInfo(name), dice.choice(change_days(name))
            closed = dice.randrange(0, 240, 5)
            night = [(0, closed), (closed + 35, 1440)]
            terms = every(dice.choice([20, 45, 50]), lasting=dice.choice([15, 60, 480]))
            offer = Offer(Hours(zone, dict.fromkeys(range(1, 8), night)), terms, [], {}, LONG_AGO)
            query = Query(zone, day - timedelta(days=1), day + timedelta(days=1))
            found = find_slots(offer, query)
            assert found
            assert found == oracle.slots(offer, query), (name, day)
