"""Time zone names: known ones, unknown ones (read as UTC), and names that people type."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from core.text import zones
from core.text.zones import zone_of

UTC_ZONE = ZoneInfo("UTC")


@pytest.mark.parametrize("name", ["America/New_York", "Asia/Kathmandu", "UTC", "Etc/GMT+3", "GMT"])
def test_a_zone_is_found_by_its_iana_name(name: str) -> None:
    assert zone_of(name) == ZoneInfo(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "Mars/Olympus",
        "EDT",
        "america/new_york",
        "America/New_York ",
        "America",
        "../etc/passwd",
        "/etc/localtime",
        "America/../UTC",
        "localtime",
        "Factory",
        "posix/America/New_York",
        "right/America/New_York",
        "posixrules",
        "zone.tab",
        "+05:30",
        "UTC\x00",
        "\x00",
        "\ud800",
        "A" * 10_000,
        "A/" * 5_000,
    ],
)
def test_an_unknown_zone_counts_as_utc(name: str) -> None:
    assert zone_of(name) == UTC_ZONE


@given(st.text())
def test_any_zone_name_gives_a_zone(name: str) -> None:
    assert zone_of(name).key in {name, "UTC"}


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        ("GMT+2", 2),
        ("gmt + 2", 2),
        ("UTC+2", 2),
        ("UTC +02:00", 2),
        ("UTC 2", 2),  # an address in which nobody escaped the plus sign
        ("+02:00", 2),
        ("utc-4", -4),
        ("GMT−4", -4),
        ("UTC+0", 0),
        ("GMT-0", 0),
        ("UTC+14", 14),
        ("UTC-12", -12),
    ],
)
def test_an_offset_that_is_typed_is_ahead_of_utc_by_so_much(typed: str, hours: int) -> None:
    found = datetime(2026, 7, 1, tzinfo=UTC).astimezone(zone_of(zones.find(typed)))
    assert found.utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize("hours", [*range(-12, 0), *range(1, 15)])
def test_such_a_zone_is_named_as_people_write_it_and_found_by_that_name(hours: int) -> None:
    zone = zones.find(f"UTC{hours:+d}")
    assert zones.in_words(zone) == f"UTC{hours:+d}"
    assert zone.startswith("Etc/")


@pytest.mark.parametrize("name", ["Etc/GMT+2", "Etc/GMT-14", "Etc/UTC"])
def test_a_name_of_ianas_keeps_its_meaning_where_it_is_whole(name: str) -> None:
    assert zones.find(name) == name


@pytest.mark.parametrize(
    "typed", ["UTC+15", "UTC-13", "GMT+99", "2", "UTC+", "+2:00:00", "GMT+2+2"]
)
def test_what_is_no_offset_is_no_zone(typed: str) -> None:
    assert (zones.find(typed), zones.hint(typed)) == ("", "")


@pytest.mark.parametrize("typed", ["UTC+5:30", "GMT +05:45", "-0930"])
def test_an_offset_that_is_no_whole_hours_is_refused_with_a_hint(typed: str) -> None:
    assert zones.find(typed) == ""
    assert zones.hint(typed).startswith("An offset must be in whole hours.")


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("berlin", "Europe/Berlin"),
        ("Berlin, Germany", "Europe/Berlin"),
        ("zürich", "Europe/Zurich"),
        ("São  Paulo", "America/Sao_Paulo"),
        ("buenos aires", "America/Argentina/Buenos_Aires"),
        ("argentina/cordoba", "America/Argentina/Cordoba"),
        ("Calcutta", "Asia/Kolkata"),
        ("Wien", "Europe/Vienna"),
        ("Nueva York", "America/New_York"),
        ("londres, royaume-uni", "Europe/London"),
        ("germany", "Europe/Berlin"),
        ("UK", "Europe/London"),
        ("India", "Asia/Kolkata"),
        ("Deutschland", "Europe/Berlin"),
        ("Autriche", "Europe/Vienna"),
        ("Japón", "Asia/Tokyo"),
        ("PST", "America/Los_Angeles"),
        ("cest", "Europe/Berlin"),
        ("IST", "Asia/Kolkata"),
        ("CET", "CET"),
    ],
)
def test_people_name_a_zone_by_a_city_a_country_or_an_abbreviation(typed: str, zone: str) -> None:
    assert zones.find(typed) == zone


def test_a_country_with_several_clocks_is_answered_with_its_cities() -> None:
    assert zones.find("Australia") == ""
    assert zones.hint("Australia").endswith("such as Sydney, Adelaide, Perth, Lord Howe Island.")


def test_every_usual_abbreviation_names_a_zone() -> None:
    assert set(zones._ABBREVIATIONS.values()) <= zones.names()
    assert not set(zones._ABBREVIATIONS) & {name.lower() for name in zones.names()}


def test_the_list_shows_places_with_their_clocks_and_no_inverted_names() -> None:
    listed = zones.options(datetime(2026, 1, 1, 9, 5, tzinfo=UTC), twelve_hours=True)
    assert '<option value="Berlin" label="Berlin, Germany, CET, UTC+1, 10:05 AM">' in listed
    assert '<option value="Kolkata" label="Kolkata, India, IST, UTC+5:30, 2:35 PM">' in listed
    assert '<option value="UTC" label="UTC, 9:05 AM">' in listed
    assert "Etc/" not in listed


@pytest.mark.parametrize(
    ("language", "option"),
    [
        ("de", '"Wien" label="Wien, Österreich, '),
        ("fr", '"Vienne" label="Vienne, Autriche, '),
        ("es", '"Viena" label="Viena, Austria, '),
        ("ar", '"فيينا" label="فيينا, النمسا, '),
    ],
)
def test_places_are_named_in_the_language_of_the_page(language: str, option: str) -> None:
    with translation.override(language):
        listed = zones.options(datetime(2026, 1, 1, 9, 5, tzinfo=UTC), twelve_hours=False)
    assert f'<option value={option}CET, UTC+1, 10:05">' in listed


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_place_is_found_by_its_name_in_the_list(language: str) -> None:
    with translation.override(language):
        called = {zone: zones.place(zone) for zone in zones._countries()}
    found = {zone: zones.find(name) for zone, name in called.items()}
    others = {zone: name for zone, name in found.items() if name != zone}
    assert {zone: zones._links()[name] for zone, name in others.items()} == {
        zone: zone for zone in others
    }
    assert len(set(called.values())) == len(called)
    assert all(zones._country(zone, language) != zones.country_of(zone) for zone in called)


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("America/New_York", "New York"),
        ("US/Eastern", "New York"),
        ("Asia/Calcutta", "Kolkata"),
        ("Japan", "Tokyo"),
        ("Etc/GMT-2", "UTC+2"),
        ("CET", "CET"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_is_called_by_its_city(zone: str, name: str) -> None:
    assert zones.place(zone) == name


def test_two_cities_of_one_name_are_told_apart_by_their_country(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zones, "city", lambda _name, _language: "Springfield")
    named = zones._places.__wrapped__("en")
    assert named["Europe/Berlin"] == "Springfield, Germany"


@pytest.mark.parametrize(
    ("name", "country"),
    [
        ("Europe/Berlin", "DE"),
        ("Asia/Calcutta", "IN"),
        ("US/Eastern", "US"),
        ("Europe/Oslo", "NO"),
        ("UTC", ""),
        ("Etc/GMT-2", ""),
        ("EST", ""),
        ("Mars/Olympus", ""),
    ],
)
def test_a_zone_lies_in_a_country(name: str, country: str) -> None:
    assert zones.country_of(name) == country


@given(st.text())
def test_whatever_is_typed_finds_a_zone_or_none(typed: str) -> None:
    assert zones.find(typed) in zones.names() | {""}
    assert isinstance(zones.hint(typed), str)
