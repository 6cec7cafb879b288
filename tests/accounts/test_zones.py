"""Names of time zones: which count, and what the others count as."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.zones import zone_of

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
