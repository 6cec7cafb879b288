"""Entries of outside calendars: which time they take, entry by entry as programs write them."""

from zoneinfo import ZoneInfo, available_timezones

import pytest
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from calendars.rules.clocks import named
from calendars.rules.expansion import Occurrence, ShownAs, Unreadable, Window, split
from tests.calendars.ics import at, calendar, entry, expanded, refusal, times

MEETING = ("DTSTART:20261201T090000Z", "DTEND:20261201T100000Z")
WEEKLY = (
    "DTSTART;TZID=Europe/Berlin:20261201T090000",
    "DTEND;TZID=Europe/Berlin:20261201T100000",
    "RRULE:FREQ=WEEKLY;COUNT=4",
)
WEEKLY_TIMES = [
    "2026-12-01 08:00/09:00",
    "2026-12-08 08:00/09:00",
    "2026-12-15 08:00/09:00",
    "2026-12-22 08:00/09:00",
]
NEW_YORK = "\r\n".join(
    [
        "BEGIN:VTIMEZONE",
        "TZID:Customized Time Zone",
        "BEGIN:STANDARD",
        "DTSTART:16010101T020000",
        "TZOFFSETFROM:-0400",
        "TZOFFSETTO:-0500",
        "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1SU;BYMONTH=11",
        "END:STANDARD",
        "BEGIN:DAYLIGHT",
        "DTSTART:16010101T020000",
        "TZOFFSETFROM:-0500",
        "TZOFFSETTO:-0400",
        "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=2SU;BYMONTH=3",
        "END:DAYLIGHT",
        "END:VTIMEZONE",
    ]
)


# --- one entry ----------------------------------------------------------------------------------


def test_an_entry_takes_its_time() -> None:
    text = calendar(entry(*MEETING, r"SUMMARY:Dentist\, at last\nbring the card"))
    assert expanded(text) == [
        Occurrence(
            recurrence_id="",
            start=at("2026-12-01 09:00"),
            end=at("2026-12-01 10:00"),
            title="Dentist, at last bring the card",
            shown_as=ShownAs.BUSY,
            is_all_day=False,
        )
    ]


@pytest.mark.parametrize(
    ("lines", "taken"),
    [
        (("DTSTART:20261201T090000Z", "DURATION:PT1H30M"), "2026-12-01 09:00/10:30"),
        (
            ("DTSTART;TZID=Asia/Kathmandu:20261201T090000", "DURATION:PT1H"),
            "2026-12-01 03:15/04:15",
        ),
        (
            ("DTSTART;TZID=Europe/Berlin:20261201T090000", "DTEND:20261201T083000Z"),
            "2026-12-01 08:00/08:30",
        ),
        (("DTSTART:20261201T090000", "DTEND:20261201T100000"), "2026-12-01 08:00/09:00"),
        (
            ("DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261203"),
            "2026-11-30 23:00/2026-12-02 23:00",
        ),
        (("DTSTART;VALUE=DATE:20261201",), "2026-11-30 23:00/2026-12-01 23:00"),
        (("DTSTART:20261201", "DURATION:P2D"), "2026-11-30 23:00/2026-12-02 23:00"),
        (("DTSTART:20261201", "DURATION:PT30H"), "2026-11-30 23:00/2026-12-02 23:00"),
        (("DTSTART:20261201", "DTEND:20261201"), "2026-11-30 23:00/2026-12-01 23:00"),
        (("DTSTART:20270328", "DURATION:P1D"), "2027-03-27 23:00/2027-03-28 22:00"),
        (
            ('dtstart;tzid="Europe/Berlin":20261201t090000', "Duration:pt1h"),
            "2026-12-01 08:00/09:00",
        ),
    ],
)
def test_starts_and_ends_are_read_as_they_are_written(lines: tuple[str, ...], taken: str) -> None:
    assert times(calendar(entry(*lines))) == [taken]


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART:20261201T090000Z",),
        ("DTSTART:20261201T090000Z", "DTEND:20261201T090000Z"),
        ("DTSTART:20261201T090000Z", "DTEND:20261201T080000Z"),
        ("DTSTART:20261201T090000Z", "DURATION:-PT1H"),
        (*MEETING, "STATUS:CANCELLED"),
    ],
)
def test_what_has_no_length_or_was_cancelled_is_left_out(lines: tuple[str, ...]) -> None:
    assert times(calendar(entry(*lines))) == []


def test_a_length_in_days_follows_the_clock_and_one_in_hours_does_not() -> None:
    saturday = "DTSTART;TZID=Europe/Berlin:20270327T120000"
    assert times(calendar(entry(saturday, "DURATION:P1D"))) == ["2027-03-27 11:00/2027-03-28 10:00"]
    assert times(calendar(entry(saturday, "DURATION:PT24H"))) == [
        "2027-03-27 11:00/2027-03-28 11:00"
    ]


def test_wall_times_that_a_clock_skips_or_repeats() -> None:
    skipped = entry("DTSTART;TZID=Europe/Berlin:20270328T023000", "DURATION:PT1H")
    repeated = entry("DTSTART;TZID=Europe/Berlin:20271031T023000", "DURATION:PT1H")
    assert times(calendar(skipped)) == ["2027-03-28 01:30/02:30"]
    assert times(calendar(repeated)) == ["2027-10-31 00:30/01:30"]


def test_what_reaches_into_the_window_counts_and_what_touches_it_does_not() -> None:
    window = Window(at("2026-12-01 09:00"), at("2026-12-01 10:00"))
    daily = (
        "DTSTART:20261101T080000Z",
        "DTEND:20261103T090000Z",
        "RRULE:FREQ=DAILY",
    )
    assert times(calendar(entry(*daily)), window=window) == [
        "2026-11-30 08:00/2026-12-02 09:00",
        "2026-12-01 08:00/2026-12-03 09:00",
    ]
    for lines in (
        ("DTSTART:20261201T080000Z", "DTEND:20261201T090000Z"),
        ("DTSTART:20261201T100000Z", "DTEND:20261201T110000Z"),
    ):
        assert times(calendar(entry(*lines)), window=window) == []


# --- how it is shown ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "shown_as"),
    [
        ("TRANSP:OPAQUE", "busy"),
        ("TRANSP:TRANSPARENT", "free"),
        ("STATUS:CONFIRMED", "busy"),
        ("STATUS:TENTATIVE", "tentative"),
        ("CLASS:PRIVATE", "busy"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:FREE", "free"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE", "free"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", "tentative"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:BUSY", "busy"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "busy"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF\r\nTRANSP:TRANSPARENT", "busy"),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:Ada@Example.com", "free"),
        ("ATTENDEE;PARTSTAT=TENTATIVE:mailto:ada@example.com", "tentative"),
        ("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ada@example.com", "tentative"),
        ("ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.com", "busy"),
        ("ATTENDEE:mailto:ada@example.com", "busy"),
        ('ATTENDEE;CN="A: B; C";PARTSTAT=DECLINED:MAILTO:ada@example.com', "free"),
        ("ATTENDEE;EMAIL=ada@example.com;PARTSTAT=DECLINED:urn:uuid:7", "free"),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:bob@example.com", "busy"),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:not-ada@example.com", "busy"),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.com\r\nSTATUS:TENTATIVE", "free"),
    ],
)
def test_an_entry_is_busy_unless_it_says_otherwise(line: str, shown_as: str) -> None:
    (found,) = expanded(calendar(entry(*MEETING, line, "SUMMARY:Secret")))
    assert (found.shown_as, found.title) == (shown_as, "Secret")


# --- series -------------------------------------------------------------------------------------


def test_each_occurrence_has_the_id_of_its_original_start() -> None:
    found = expanded(calendar(entry(*WEEKLY)))
    assert [each.recurrence_id for each in found] == [
        "20261201T080000Z",
        "20261208T080000Z",
        "20261215T080000Z",
        "20261222T080000Z",
    ]
    all_day = entry("DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=MONTHLY;COUNT=2")
    found = expanded(calendar(all_day))
    assert [(each.recurrence_id, each.is_all_day) for each in found] == [
        ("20261201", True),
        ("20270101", True),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "EXDATE;TZID=Europe/Berlin:20261208T090000",
        "EXDATE:20261208T080000Z",
        "EXDATE:20261208T090000",
        "EXDATE;VALUE=DATE:20261208",
        "EXDATE;TZID=Europe/Berlin:20261207T090000,20261208T090000",
        "EXDATE:20200101T000000Z\r\nEXDATE:20261208T080000Z",
    ],
)
def test_excluded_dates_are_left_out(line: str) -> None:
    assert times(calendar(entry(*WEEKLY, line))) == [WEEKLY_TIMES[0], *WEEKLY_TIMES[2:]]


@pytest.mark.parametrize("line", ["EXDATE;VALUE=DATE:20261202", "EXDATE:20261202T000000Z"])
def test_excluded_dates_of_all_day_entries(line: str) -> None:
    text = calendar(entry("DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=DAILY;COUNT=3", line))
    assert [each.recurrence_id for each in expanded(text)] == ["20261201", "20261203"]


def test_added_dates_and_periods() -> None:
    text = calendar(
        entry(
            *MEETING,
            "RDATE:20261205T090000Z,20261206T090000Z",
            "RDATE;VALUE=PERIOD:20261207T090000Z/20261207T093000Z,20261208T090000Z/PT2H",
            "RDATE;TZID=Europe/Berlin:20261206T100000",
        )
    )
    assert times(text) == [
        "2026-12-01 09:00/10:00",
        "2026-12-05 09:00/10:00",
        "2026-12-06 09:00/10:00",
        "2026-12-07 09:00/09:30",
        "2026-12-08 09:00/11:00",
    ]


def test_an_added_date_in_the_hour_that_a_clock_repeats() -> None:
    text = calendar(
        entry(
            "DTSTART;TZID=Europe/Berlin:20271030T023000",
            "DURATION:PT15M",
            "RDATE:20271031T013000Z",
        )
    )
    assert times(text) == ["2027-10-30 00:30/00:45", "2027-10-31 01:30/01:45"]


def test_moved_changed_and_cancelled_occurrences() -> None:
    text = calendar(
        entry(
            "RECURRENCE-ID;TZID=Europe/Berlin:20261208T090000",
            "DTSTART:20261210T120000Z",
            "DTEND:20261210T123000Z",
            "SUMMARY:Moved",
        ),
        entry(*WEEKLY, "SUMMARY:Usual"),
        entry("RECURRENCE-ID:20261215T080000Z", "DTSTART:20261215T080000Z", "STATUS:CANCELLED"),
        entry(
            "RECURRENCE-ID;VALUE=DATE:20261222",
            "DTSTART:20261222T080000Z",
            "DTEND:20261222T090000Z",
            "TRANSP:TRANSPARENT",
        ),
    )
    found = expanded(text)
    assert times(text) == [
        "2026-12-01 08:00/09:00",
        "2026-12-10 12:00/12:30",
        "2026-12-22 08:00/09:00",
    ]
    assert [(each.recurrence_id, each.title, each.shown_as) for each in found] == [
        ("20261201T080000Z", "Usual", "busy"),
        ("20261208T080000Z", "Moved", "busy"),
        ("20261222T080000Z", "", "free"),
    ]


def test_an_occurrence_that_was_moved_into_the_window_and_one_moved_out_of_it() -> None:
    window = Window(at("2026-12-07"), at("2026-12-14"))
    text = calendar(
        entry(*WEEKLY),
        entry(
            "RECURRENCE-ID:20261208T080000Z", "DTSTART:20270301T080000Z", "DTEND:20270301T090000Z"
        ),
        entry(
            "RECURRENCE-ID:20261222T080000Z", "DTSTART:20261211T080000Z", "DTEND:20261211T090000Z"
        ),
    )
    assert times(text, window=window) == ["2026-12-11 08:00/09:00"]


def test_the_newest_version_of_a_component_counts() -> None:
    moved = "RECURRENCE-ID:20261201T080000Z"
    text = calendar(
        entry(moved, "SEQUENCE:3", "DTSTART:20261203T080000Z", "DURATION:PT1H"),
        entry(moved, "SEQUENCE:2", "DTSTART:20261202T080000Z", "DURATION:PT1H"),
        entry("SEQUENCE:1", "DTSTART:20261201T080000Z", "DURATION:PT1H"),
        entry("DTSTART:20250101T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
    )
    assert times(text) == ["2026-12-03 08:00/09:00"]


def test_one_occurrence_of_a_series_that_somebody_else_has() -> None:
    text = calendar(entry("RECURRENCE-ID:20261208T080000Z", *MEETING))
    assert [each.recurrence_id for each in expanded(text)] == ["20261208T080000Z"]


def test_an_excluded_date_outweighs_a_change_of_it() -> None:
    for day in ("20261208", "20261209"):  # one that the series has, and one that it has not
        changed = entry(f"RECURRENCE-ID:{day}T080000Z", "DTSTART:20261210T080000Z", "DURATION:PT1H")
        text = calendar(entry(*WEEKLY, f"EXDATE:{day}T080000Z"), changed)
        assert "20261210" not in {each[:10].replace("-", "") for each in times(text)}


def test_this_and_future_moves_what_follows() -> None:
    text = calendar(
        entry(*WEEKLY, "SUMMARY:Before"),
        entry(
            "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20261208T090000",
            "DTSTART;TZID=Europe/Berlin:20261209T110000",
            "DTEND;TZID=Europe/Berlin:20261209T113000",
            "SUMMARY:After",
        ),
        entry("RECURRENCE-ID:20261215T080000Z", "DTSTART:20261214T080000Z", "DURATION:PT1H"),
    )
    assert times(text) == [
        "2026-12-01 08:00/09:00",
        "2026-12-09 10:00/10:30",
        "2026-12-14 08:00/09:00",
        "2026-12-23 10:00/10:30",
    ]
    assert [each.title for each in expanded(text)] == ["Before", "After", "", "After"]


def test_this_and_future_reaches_into_the_window_from_either_side() -> None:
    lasting = "RECURRENCE-ID;RANGE=THISANDFUTURE:20260601T080000Z"
    daily = entry("DTSTART:20260101T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    window = Window(at("2026-12-01"), at("2026-12-02"))
    for start, found in (("20260701", "20261101T080000Z"), ("20260401", "20270131T080000Z")):
        text = calendar(daily, entry(lasting, f"DTSTART:{start}T080000Z", "DURATION:PT1H"))
        assert [each.recurrence_id for each in expanded(text, window=window)] == [found]


def test_this_and_future_can_make_all_day_entries_of_timed_ones() -> None:
    text = calendar(
        entry(*WEEKLY),
        entry(
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20261208T080000Z",
            "DTSTART;VALUE=DATE:20261209",
        ),
    )
    assert times(text)[2:] == [
        "2026-12-15 23:00/2026-12-16 23:00",
        "2026-12-22 23:00/2026-12-23 23:00",
    ]


@pytest.mark.parametrize(
    ("rule", "last"),
    [
        ("UNTIL=20261208T080000Z", "20261208"),
        ("UNTIL=20261208T075959Z", "20261201"),
        ("UNTIL=20261208T090000", "20261208"),
        ("UNTIL=20261208", "20261208"),
        ("COUNT=3", "20261215"),
        ("COUNT=3;UNTIL=20261208T080000Z", "20261208"),
        ("COUNT=-1;UNTIL=20261208T080000Z", "20261208"),
    ],
)
def test_the_end_of_a_series(rule: str, last: str) -> None:
    text = calendar(entry(*WEEKLY[:2], f"RRULE:FREQ=WEEKLY;{rule}"))
    assert expanded(text)[-1].recurrence_id[:8] == last


def test_the_end_of_an_all_day_series_may_be_a_time() -> None:
    text = calendar(entry("DTSTART:20261201", "RRULE:FREQ=DAILY;UNTIL=20261202T230000Z"))
    assert expanded(text)[-1].recurrence_id == "20261203"


@pytest.mark.parametrize(
    ("start", "rule", "found"),
    [
        ("19970902T090000Z", "FREQ=MONTHLY;BYDAY=-1FR", ["1225", "0129"]),
        ("19970902T090000Z", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", ["1230", "0128"]),
        ("20240131T090000Z", "FREQ=MONTHLY", ["1231", "0131"]),
        ("20200229T090000Z", "FREQ=YEARLY", []),
        ("20251225T090000Z", "FREQ=YEARLY", ["1225"]),
        ("20241202T090000Z", "FREQ=YEARLY;BYWEEKNO=50", ["1207"]),
        ("20241202T090000Z", "FREQ=YEARLY;BYWEEKNO=-1,1;BYDAY=TH", ["1231", "0107"]),
        ("20241201T090000Z", "FREQ=YEARLY;BYYEARDAY=-1,1", ["1231", "0101"]),
        (
            "20261110T090000Z",
            "FREQ=WEEKLY;INTERVAL=4;BYDAY=MO,SU;WKST=SU",
            ["1206", "1207", "0103", "0104", "0131"],
        ),
        (
            "20261110T090000Z",
            "FREQ=WEEKLY;INTERVAL=4;BYDAY=MO,SU;WKST=MO",
            ["1207", "1213", "0104", "0110"],
        ),
        ("20200101T090000Z", "FREQ=DAILY;INTERVAL=30", ["1225", "0124"]),
        ("20200101T090000Z", "FREQ=HOURLY;INTERVAL=500", ["1217", "0106", "0127"]),
        ("20200101T090000Z", "FREQ=DAILY;INTERVAL=20;COUNT=128", ["1215"]),
        ("20261130T090000Z", "FREQ=MONTHLY;BYDAY=1MO", ["1207", "0104"]),
    ],
)
def test_rules(start: str, rule: str, found: list[str]) -> None:
    window = Window(at("2026-12-01"), at("2027-02-01"))
    text = calendar(entry(f"DTSTART:{start}", "DURATION:PT1H", f"RRULE:{rule}"))
    assert [each.recurrence_id[4:8] for each in expanded(text, window=window)] == found


def test_a_start_that_its_rule_does_not_name_counts() -> None:
    tuesday = entry(*WEEKLY[:2], "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=2")
    assert times(calendar(tuesday)) == ["2026-12-01 08:00/09:00", "2026-12-02 08:00/09:00"]


# --- zones --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tzid", "start"),
    [
        ("America/New_York", "14:00"),
        ("Eastern Standard Time", "14:00"),
        ("/freeassociation.sourceforge.net/America/New_York", "14:00"),
        ("/mozilla.org/20050126_1/America/Argentina/Buenos_Aires", "12:00"),
        ("UTC", "09:00"),
        ("america/new_york", "14:00"),
        ("Nowhere/At All", "08:00"),
        ("localtime", "08:00"),
        ("../../etc/passwd", "08:00"),
    ],
)
def test_names_of_zones(tzid: str, start: str) -> None:
    text = calendar(entry(f"DTSTART;TZID={tzid}:20261201T090000", "DURATION:PT1H"))
    assert times(text)[0][11:16] == start


def test_every_zone_of_iana_and_of_windows_has_a_clock() -> None:
    for name in available_timezones() - {"localtime", "Factory"}:
        zone = named(name)
        assert zone is not None
        assert zone.key == name
    assert all(named(name) for name in WINDOWS_TO_OLSON)


def test_a_zone_that_the_text_describes() -> None:
    name = "Customized Time Zone"
    text = calendar(
        NEW_YORK,
        entry(
            f"DTSTART;TZID={name}:20270312T090000",
            f"DTEND;TZID={name}:20270312T100000",
            "RRULE:FREQ=DAILY;COUNT=4",
        ),
    )
    assert times(text) == [
        "2027-03-12 14:00/15:00",
        "2027-03-13 14:00/15:00",
        "2027-03-14 13:00/14:00",
        "2027-03-15 13:00/14:00",
    ]


def test_a_described_clock_skips_and_repeats_as_the_zone_does_that_it_is() -> None:
    zone = ZoneInfo("America/New_York")
    for wall in (
        "20270314T013000",
        "20270314T020000",
        "20270314T023000",
        "20270314T030000",
        "20271107T003000",
        "20271107T010000",
        "20271107T013000",
        "20271107T020000",
    ):
        lines = f"DTSTART;TZID=Customized Time Zone:{wall}", "DURATION:P1D"
        floating = f"DTSTART:{wall}", "DURATION:P1D"
        assert times(calendar(NEW_YORK, entry(*lines))) == times(
            calendar(entry(*floating)), zone=zone
        )


def test_zones_that_two_texts_describe_by_one_name_stay_apart() -> None:
    def zone(offset: str) -> str:
        return "\r\n".join(
            [
                "BEGIN:VTIMEZONE",
                "TZID:Mine",
                "BEGIN:STANDARD",
                "DTSTART:19700101T000000",
                f"TZOFFSETFROM:{offset}",
                f"TZOFFSETTO:{offset}",
                "END:STANDARD",
                "END:VTIMEZONE",
            ]
        )

    meeting = entry("DTSTART;TZID=Mine:20261201T090000", "DURATION:PT1H")
    assert times(calendar(zone("+0300"), meeting)) == ["2026-12-01 06:00/07:00"]
    assert times(calendar(zone("-0530"), meeting)) == ["2026-12-01 14:30/15:30"]


def test_the_calendar_names_the_zone_of_floating_times() -> None:
    zone = "X-WR-TIMEZONE:Asia/Tokyo"
    floating = entry("DTSTART:20261201T090000", "DURATION:PT1H")
    all_day = entry("DTSTART;VALUE=DATE:20261201")
    assert times(calendar(zone, floating)) == ["2026-12-01 00:00/01:00"]
    assert times(calendar(zone, all_day)) == ["2026-11-30 15:00/2026-12-01 15:00"]
    assert times(calendar("X-WR-TIMEZONE:Nowhere", floating)) == ["2026-12-01 08:00/09:00"]


# --- texts that bend the rules ------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("before", ["", "\ufeff", "\r\n\n  "])
def test_lines_may_end_and_fold_in_every_way(end: str, before: str) -> None:
    lines = [
        "BEGIN:VCALENDAR",
        entry("DTSTART:2026", " 1201T09", "\t0000Z", "DURATION:PT1H", "SUMMARY:Lun", " ch"),
    ]
    text = before + "\n".join([*lines, "END:VCALENDAR"]).replace("\r\n", "\n").replace("\n", end)
    (found,) = expanded(text)
    assert (found.start, found.title) == (at("2026-12-01 09:00"), "Lunch")
    (series,) = split(text.encode(), most_series=10).series.values()
    assert expanded(series.text) == [found]


def test_ends_may_be_missing() -> None:
    text = "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "BEGIN:VEVENT",
            "UID:1",
            *MEETING,
            "BEGIN:VALARM",
            "TRIGGER:-PT15M",
            "DURATION:PT5M",
            "BEGIN:VEVENT",
            "UID:1",
            "RECURRENCE-ID:20261202T090000Z",
            "DTSTART:20261202T090000Z",
            "DURATION:PT1H",
        ]
    )
    assert times(text) == ["2026-12-01 09:00/10:00", "2026-12-02 09:00/10:00"]
    assert split(text.encode(), most_series=10).unreadable == 1


def test_other_components_are_ignored() -> None:
    todo = "\r\n".join(["BEGIN:VTODO", "UID:2", *MEETING, "END:VTODO"])
    alarm = ("BEGIN:VALARM", "SUMMARY:Alarm", "DURATION:PT5M", "END:VALARM")
    text = calendar(
        todo,
        todo.replace("VTODO", "VJOURNAL"),
        todo.replace("VTODO", "VFREEBUSY"),
        entry(*alarm, *MEETING, "X-UNKNOWN;A=B:C", "SUMMARY:Meeting"),
    )
    assert [each.title for each in expanded(text)] == ["Meeting"]
    assert [*split(text.encode(), most_series=10).series] == ["1@example.com"]
    assert expanded(calendar(todo)) == []


@pytest.mark.parametrize(
    "lines",
    [
        ("SUMMARY:no start",),
        ("DTSTART:tomorrow",),
        ("DTSTART:20261301T090000Z",),
        ("DTSTART:20261201T090000Z", "DTEND:never"),
        ("DTSTART:20261201T090000Z", "DURATION:an hour"),
        ("DTSTART:20261201T090000Z", "DURATION:P"),
        (*WEEKLY[:2], "RRULE:FREQ=SOMETIMES"),
        (*WEEKLY[:2], "RRULE:FREQ=DAILY;INTERVAL=0"),
        (*WEEKLY[:2], "RRULE:FREQ=DAILY;BYDAY=XX"),
        (*WEEKLY[:2], "RRULE:FREQ=DAILY;BYMONTH=13"),
        (*WEEKLY[:2], "RRULE:FREQ=DAILY;UNTIL=later"),
        (*WEEKLY[:2], "RRULE:FREQ=MONTHLY;RSCALE=HEBREW"),
        (*WEEKLY, "EXDATE:20269999"),
        (*WEEKLY, "RDATE:20269999"),
        (*WEEKLY, "RECURRENCE-ID:then"),
        ("DTSTART",),
        ("DTSTART;TZID=Europe/Berlin",),
    ],
)
def test_values_that_cannot_be_read_are_not_guessed(lines: tuple[str, ...]) -> None:
    assert refusal(calendar(entry(*lines))) == "broken"


def test_two_series_in_one_text_contradict_each_other() -> None:
    assert refusal(calendar(entry(*MEETING), entry(*MEETING, uid="2"))) == "broken"


@pytest.mark.parametrize(
    "text", ["", " ", "<html>no</html>", "BEGIN:VCARD\nEND:VCARD", "VCALENDAR"]
)
def test_other_texts_are_no_calendars(text: str) -> None:
    assert refusal(text) == "not_a_calendar"
    with pytest.raises(Unreadable, match="not_a_calendar"):
        split(text.encode(), most_series=10)


# --- whole feeds --------------------------------------------------------------------------------


def test_a_feed_has_a_name_a_color_a_zone_and_series() -> None:
    feed = split(
        calendar(
            "X-WR-CALNAME:Ada\\, at work",
            "X-APPLE-CALENDAR-COLOR:#FF2968FF",
            "X-WR-TIMEZONE:Europe/Berlin",
            NEW_YORK,
            entry(*WEEKLY),
            entry(*MEETING, uid="2"),
            entry("RECURRENCE-ID:20261208T080000Z", "DTSTART:20261208T100000Z"),
        ).encode(),
        most_series=2,
    )
    assert (feed.name, feed.color, feed.zone) == ("Ada, at work", "#FF2968FF", "Europe/Berlin")
    assert feed.unreadable == 0
    assert {uid: series.uid for uid, series in feed.series.items()} == {
        "1@example.com": "1@example.com",
        "2": "2",
    }
    assert [each.recurrence_id for each in expanded(feed.series["1@example.com"].text)] == [
        "20261201T080000Z",
        "20261215T080000Z",
        "20261222T080000Z",
    ]


def test_names_and_colors_of_rfc_7986() -> None:
    feed = split(
        calendar("NAME:Ada", "COLOR:tomato", entry("NAME:no", *MEETING)).encode(), most_series=1
    )
    assert (feed.name, feed.color, feed.zone) == ("Ada", "tomato", "")


def test_a_series_takes_the_zones_along_that_it_needs() -> None:
    mine = entry('DTSTART;TZID="Customized Time Zone":20261201T090000', "DURATION:PT1H")
    feed = split(calendar(NEW_YORK, mine, entry(*MEETING, uid="2")).encode(), most_series=2)
    assert times(feed.series["1@example.com"].text) == ["2026-12-01 14:00/15:00"]
    assert "VTIMEZONE" not in feed.series["2"].text


def test_a_digest_changes_with_what_matters_alone() -> None:
    def digest(*lines: str) -> str:
        text = calendar(entry(*MEETING, *lines), entry("RECURRENCE-ID:20261201", *MEETING))
        (series,) = split(text.encode(), most_series=1).series.values()
        return series.digest

    assert digest("DTSTAMP:20261130T000000Z") == digest("DTSTAMP:20261201T000000Z", "X-A:b")
    assert digest("SUMMARY:a") != digest("SUMMARY:b")

    def both(first: str, second: str) -> str:
        (series,) = split(calendar(first, second).encode(), most_series=1).series.values()
        return series.digest

    one, other = entry(*MEETING), entry("RECURRENCE-ID:20261201", *MEETING)
    assert both(one, other) == both(other, one)


def test_components_without_uid_have_one_that_stays() -> None:
    text = calendar(entry(*MEETING), entry(*MEETING, "SUMMARY:b"), entry(*MEETING)).replace(
        "UID:1@example.com\r\n", ""
    )
    first, second = (split(text.encode(), most_series=9).series for _ in range(2))
    assert len(first) == 2
    assert first == second
    assert [times(series.text) for series in first.values()] == [["2026-12-01 09:00/10:00"]] * 2


def test_bytes_of_other_charsets_are_read() -> None:
    text = calendar(
        entry(*MEETING, "SUMMARY:Caf\u00e9"), entry(*MEETING, "SUMMARY:\u4f1a", uid="2")
    )
    data = text.encode().replace("\u00e9".encode(), b"\xe9")
    folded = data.replace(
        "\u4f1a".encode(), "\u4f1a".encode()[:1] + b"\r\n " + "\u4f1a".encode()[1:]
    )
    for each in (data, folded):
        feed = split(each, most_series=2)
        titles = [expanded(series.text)[0].title for series in feed.series.values()]
        assert titles == ["Caf\u00e9", "\u4f1a"]


def test_a_feed_with_too_many_series_is_refused() -> None:
    text = calendar(entry(*MEETING), entry(*MEETING, uid="2"))
    with pytest.raises(Unreadable, match="too_many"):
        split(text.encode(), most_series=1)
