"""Texts made to do harm: each ends soon, in an answer or in a clear refusal."""

import random
import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendars.rules.bounds import MOST_BYTES
from calendars.rules.expansion import Unreadable, Window, split
from tests.calendars.ics import at, calendar, entry, expanded, refusal, times

LONG_AGO = ("DTSTART:19000101T090000Z", "DURATION:PT15M")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
TODAY = ("DTSTART:20261201T090000Z", "DURATION:PT15M")


def series(*lines: str) -> str:
    return calendar(entry(*lines))


def refused_feed(data: bytes, most_series: int = 20_000) -> str:
    try:
        split(data, most_series=most_series)
    except Unreadable as error:
        return error.code
    return ""


# --- rules --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("FREQ=SECONDLY", "too_frequent"),
        ("FREQ=SECONDLY;COUNT=1", "too_frequent"),
        ("FREQ=MINUTELY;INTERVAL=30", "too_frequent"),
        ("FREQ=HOURLY;BYMINUTE=0,30", "too_frequent"),
        ("FREQ=HOURLY;BYSECOND=0,30", "too_frequent"),
        ("FREQ=DAILY;BYHOUR=9,10,11,12,13;BYMINUTE=0,12,24,36,48", "too_frequent"),
        ("FREQ=HOURLY", "too_many"),
        ("FREQ=DAILY;BYHOUR=9,10,11,12,13,14", "too_many"),
        ("FREQ=DAILY;INTERVAL=-1", "broken"),
        ("FREQ=DAILY;COUNT=" + "9" * 5_000, "broken"),
        ("FREQ=YEARLY;BYYEARDAY=" + ",".join(map(str, range(1, 100_000))), "broken"),
        ("FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,30", ""),
        ("FREQ=DAILY;INTERVAL=1000000000", ""),
        ("FREQ=WEEKLY;INTERVAL=1000000000", ""),
        ("FREQ=MONTHLY;INTERVAL=1000000000", ""),
        ("FREQ=YEARLY;INTERVAL=1000000000000000000000", ""),
        ("FREQ=HOURLY;INTERVAL=1000000000", ""),
        ("FREQ=DAILY;COUNT=1000000000", ""),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31", ""),
        ("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=31", ""),
        ("FREQ=DAILY;UNTIL=99991231T235959Z", ""),
        ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYMONTH=6", ""),
    ],
)
@pytest.mark.parametrize("start", [LONG_AGO, TODAY], ids=["long ago", "today"])
def test_rules_are_refused_or_read(start: tuple[str, ...], rule: str, code: str) -> None:
    assert refusal(series(*start, f"RRULE:{rule}")) == code


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY;COUNT=1000000;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=HOURLY;COUNT=1000000000;BYSETPOS=2",
        "FREQ=DAILY;COUNT=1000000;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;COUNT=1000000000;BYDAY="
        + ",".join(f"{nth}{day}" for nth, day in product(range(1, 54), ("MO", "TU", "WE", "TH"))),
    ],
)
def test_rules_that_count_for_long_are_given_up_in_time(rule: str) -> None:
    text = series("DTSTART:00020101T090000Z", "DURATION:PT1H", f"RRULE:{rule}")
    began = time.monotonic()
    assert refusal(text, seconds=0.2) == "too_long"
    assert time.monotonic() - began < 20


def test_no_series_has_more_time_than_its_share() -> None:
    text = series(
        "DTSTART:00020101T090000Z",
        "DURATION:PT1H",
        "RRULE:FREQ=HOURLY;COUNT=1000000000;BYSETPOS=2",
    )
    assert refusal(text, seconds=3600) == "too_long"


def test_nothing_is_read_when_the_time_is_over() -> None:
    assert refusal(series(*TODAY), seconds=-1) == "too_long"


def test_two_thousand_occurrences_are_read_and_one_more_is_not() -> None:
    for days, code in ((2_000, ""), (2_001, "too_many")):
        text = series("DTSTART:20261201T090000Z", f"DURATION:P{days}D", "RRULE:FREQ=DAILY")
        at_noon = at("2036-12-01 12:00")
        assert refusal(text, window=Window(at_noon, at_noon + 60)) == code


def test_long_occurrences_are_too_many_at_once() -> None:
    assert refusal(series(LONG_AGO[0], "DURATION:P40000D", "RRULE:FREQ=DAILY")) == "too_many"


def test_many_rules_are_too_many() -> None:
    rules = ["RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"] * 11
    assert refusal(series(*TODAY, *rules)) == "too_many"


# --- sizes --------------------------------------------------------------------------------------


def test_lists_of_dates_are_bounded() -> None:
    dates = ",".join(["20261201T090000Z"] * 6_000)
    assert refusal(series(*TODAY, f"RDATE:{dates}")) == "too_many"
    assert refusal(series(*TODAY, f"EXDATE:{dates}")) == "too_many"
    assert refusal(series(*TODAY, *["EXDATE:20261202T090000Z"] * 6_000)) == "too_many"


def test_a_hundred_thousand_dates_are_too_large() -> None:
    dates = ",".join(["20261201T090000Z"] * 100_000)
    text = series(*TODAY, f"RDATE:{dates}")
    assert refusal(text) == "too_large"
    # A feed keeps such a series, so that what is known of it stays.
    assert len(split(text.encode(), most_series=1).series) == 1


def test_changed_occurrences_are_bounded() -> None:
    changed = [entry(f"RECURRENCE-ID:2026120{n % 9 + 1}T090000Z", *TODAY) for n in range(3_000)]
    assert refusal(calendar(*changed)) == "too_many"


def test_a_feed_is_bounded() -> None:
    assert refused_feed(b"BEGIN:VCALENDAR\n" + b" " * MOST_BYTES) == "too_large"


@pytest.mark.torture
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"\n", ""),
        (b"A\n", ""),
        (b"\n ", ""),
        (b"X:\n", ""),
        (b"BEGIN:VEVENT\n", "too_large"),
        (b"UID:1\n", "too_large"),
        (b"BEGIN:A\n", "too_large"),
        (b'BEGIN;"', ""),
        (b"\xff", ""),
    ],
)
def test_the_largest_feeds_end_in_a_clear_state(line: bytes, code: str) -> None:
    data = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n"
    data += line * ((MOST_BYTES - len(data)) // len(line))
    assert refused_feed(data) == code


def test_a_large_zone_in_many_series_is_bounded() -> None:
    zone = ["BEGIN:VTIMEZONE", "TZID:Mine", *["RDATE:20260101T000000"] * 10_000, "END:VTIMEZONE"]
    entries = [entry("DTSTART;TZID=Mine:20261201T090000", uid=str(number)) for number in range(400)]
    assert refused_feed(calendar(*zone, *entries).encode()) == "too_large"


def test_nesting_has_no_depth() -> None:
    nested = "\r\n".join(["BEGIN:X-BOX"] * 100_000 + ["END:X-BOX"] * 100_000)
    text = calendar(entry(*TODAY, "BEGIN:VALARM"), nested, entry("SUMMARY:b", *TODAY, uid="2"))
    feed = split(text.encode(), most_series=2)
    assert [len(expanded(each.text)) for each in feed.series.values()] == [1, 1]


def test_a_line_of_ten_million_characters_is_one_series_that_cannot_be_read() -> None:
    long = entry(*TODAY, "SUMMARY:" + "a" * 10_000_000)
    feed = split(calendar(long, entry(*TODAY, uid="2")).encode(), most_series=2)
    assert [refusal(each.text) for each in feed.series.values()] == ["too_large", ""]


def test_lines_that_nobody_reads_may_be_long() -> None:
    folded = "DESCRIPTION:" + "\r\n ".join(["a" * 70] * 100_000)
    (found,) = split(series(*TODAY, folded).encode(), most_series=1).series.values()
    assert len(found.text) < 200
    assert times(found.text) == ["2026-12-01 09:00/09:15"]


# --- values -------------------------------------------------------------------------------------


def test_titles_are_cut_and_have_no_control_characters() -> None:
    (found,) = expanded(series(*TODAY, "SUMMARY:\x00a\x1b[31m\x7fb\x85c" + "d" * 1_000))
    assert found.title == "a [31m b c" + "d" * 240


def test_identifiers_are_bounded_and_clean() -> None:
    text = calendar(
        entry(*TODAY, uid="a\x00b"), entry(*TODAY, uid="c" * 10_000), entry(*TODAY, uid="c" * 9_999)
    )
    uids = [*split(text.encode(), most_series=3).series]
    assert uids[0] == "a b"
    assert [len(uid) for uid in uids[1:]] == [64, 64]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("DTSTART:00010101T000000Z", "DURATION:PT1H"), ""),
        (("DTSTART:00010101T000000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY"), ""),
        (("DTSTART;TZID=Asia/Tokyo:00010101T000000", "DURATION:P999999999D"), "broken"),
        (("DTSTART;VALUE=DATE:00010101", "RRULE:FREQ=WEEKLY;WKST=TU"), "broken"),
        (("DTSTART:00000101T000000Z", "DURATION:PT1H"), "broken"),
        (("DTSTART:99991231T235959Z", "DURATION:PT1H"), ""),
        (("DTSTART;VALUE=DATE:99991231",), ""),
        (("DTSTART;VALUE=DATE:99991231", "RRULE:FREQ=DAILY"), ""),
        (("DTSTART:20261201T090000Z", "DURATION:P999999999W"), "broken"),
        (("DTSTART:20261201T090000Z", "DURATION:PT999999999H"), ""),
        (("DTSTART:20261201T090000Z", "DURATION:-P999999999W"), "broken"),
        (("DTSTART:20261201T090000Z", "DTEND:99991231T235959Z"), ""),
        (("DTSTART:20261201T090000Z", "DTEND:00010101T000000Z"), ""),
        ((*TODAY, "RRULE:FREQ=DAILY;COUNT=2", "EXDATE:99991231T235959Z"), ""),
        ((*TODAY, "RDATE:00010101T000000Z,99991231T235959Z"), ""),
        ((*TODAY, "SEQUENCE:" + "9" * 5_000), "broken"),
        ((*TODAY, "SEQUENCE:new"), ""),
        (("DTSTART:20261201T090000\x00Z",), "broken"),
        (("DTSTART:２０２６１２０１",), "broken"),
    ],
)
def test_values_at_the_ends_of_what_there_is(lines: tuple[str, ...], code: str) -> None:
    assert refusal(series(*lines)) == code


@pytest.mark.parametrize("start", ["00010101T000000Z", "99991231T235959Z"])
def test_occurrences_moved_from_one_end_of_time_to_the_other(start: str) -> None:
    lasting = "RECURRENCE-ID;RANGE=THISANDFUTURE:20261201T090000Z"
    text = calendar(
        entry(*TODAY, "RRULE:FREQ=DAILY"), entry(lasting, f"DTSTART:{start}", "DURATION:PT1H")
    )
    assert refusal(text) in ("", "too_long", "broken")


# --- zones --------------------------------------------------------------------------------------


def zone(*lines: str) -> str:
    offsets = ("TZOFFSETFROM:+0100", "TZOFFSETTO:+0200")
    inner = ("BEGIN:STANDARD", "DTSTART:19700101T000000", *offsets, *lines, "END:STANDARD")
    return "\r\n".join(["BEGIN:VTIMEZONE", "TZID:Mine", *inner, "END:VTIMEZONE"])


@pytest.mark.parametrize(
    ("described", "code"),
    [
        (zone("RRULE:FREQ=SECONDLY"), "too_frequent"),
        (zone("RRULE:FREQ=DAILY"), "broken"),
        (zone("RRULE:FREQ=YEARLY;UNTIL=99991231T235959Z"), ""),
        (zone("RDATE:" + ",".join(["20260101T000000"] * 6_000)), "too_many"),
        (zone("TZOFFSETTO:+9999").replace("TZOFFSETTO:+0200", "X-A:b"), "broken"),
        (zone("DTSTART").replace("DTSTART:19700101T000000", "X-A:b"), "broken"),
        ("BEGIN:VTIMEZONE\r\nTZID:Mine\r\nEND:VTIMEZONE", "broken"),
        (zone("END:STANDARD\r\nBEGIN:STANDARD\r\n" * 200), "too_many"),
    ],
)
def test_described_zones_are_read_or_refused(described: str, code: str) -> None:
    text = calendar(described, entry("DTSTART;TZID=Mine:20261201T090000", "DURATION:PT1H"))
    assert refusal(text) == code


def test_a_zone_that_is_slow_to_read_is_given_up_in_time() -> None:
    days = ",".join(f"{nth}{day}" for nth, day in product(range(1, 54), WEEKDAYS))
    rules = [f"RRULE:FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY={days}"] * 50
    text = calendar(zone(*rules), entry("DTSTART;TZID=Mine:20261201T090000", "DURATION:PT1H"))
    assert refusal(text) == "too_long"


# --- anything -----------------------------------------------------------------------------------

PIECES = [
    "BEGIN:VEVENT",
    "END:VEVENT",
    "BEGIN:VALARM",
    "END:VALARM",
    "END:VCALENDAR",
    "UID:1",
    "DTSTART:20261201T090000Z",
    "DTSTART;TZID=Europe/Berlin:20261201T090000",
    "DTSTART;TZID=Mine:20261201T090000",
    "DTSTART;VALUE=DATE:20261201",
    "DTEND:20261201T100000Z",
    "DTEND;VALUE=DATE:20261203",
    "DURATION:PT1H",
    "RRULE:FREQ=DAILY",
    "RRULE:FREQ=WEEKLY;UNTIL=20270101",
    "RRULE:FREQ=MONTHLY;COUNT=5;BYDAY=-1FR",
    "EXDATE:20261202T090000Z",
    "EXDATE;VALUE=DATE:20261203",
    "RDATE;VALUE=PERIOD:20261205T090000Z/PT1H",
    "RECURRENCE-ID:20261204T090000Z",
    "RECURRENCE-ID;RANGE=THISANDFUTURE:20261204",
    "STATUS:CANCELLED",
    "ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.com",
    zone(),
]
CODES = {"", "not_a_calendar", "too_large", "too_frequent", "too_many", "too_long", "broken"}


@given(st.lists(st.sampled_from(PIECES), max_size=25), st.randoms(use_true_random=False))
def test_any_order_of_lines_ends_in_a_clear_state(pieces: list[str], dice: random.Random) -> None:
    text = "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *pieces])
    for _ in range(dice.choice([0, 0, 1, 5])):
        place = dice.randrange(len(text))
        text = text[:place] + dice.choice('\x00\n ;:,=-09TZP"\ud800é') + text[place + 1 :]
    assert refusal(text) in CODES
    data = text.encode("utf-8", "surrogatepass")
    try:
        feed = split(data, most_series=20)
    except Unreadable as error:
        assert error.code in CODES
    else:
        assert all(refusal(each.text) in CODES for each in feed.series.values())


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_clear_state(data: bytes) -> None:
    assert refused_feed(data) == "not_a_calendar"
    assert refused_feed(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:" + data) in CODES
