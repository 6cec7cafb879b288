"""Names of time zones: IANA's names in the system's database, and the names that people write."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.html import format_html_join
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

_LONGEST = 64
_NO_ZONES = {"localtime", "Factory"}  # on many systems: the server's own zone, and a placeholder
_OFFSET = re.compile(
    r"(?:(?:utc|gmt) ?(?P<sign>[+-])|(?P<bare>[+-])|(?:utc|gmt) )"
    r" ?(?P<hours>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2}))?"
)
_ETC = re.compile(r"Etc/GMT(?P<sign>[+-])(?P<hours>[1-9][0-9]?)")
# The zones that people mean by these letters. Those that IANA knows as names are not here.
_WRITTEN = """
    Africa/Johannesburg sast
    Africa/Lagos wat
    Africa/Maputo cat
    Africa/Nairobi eat
    America/Anchorage akst akdt
    America/Argentina/Buenos_Aires art
    America/Chicago ct cst cdt
    America/Denver mt mdt
    America/Halifax ast adt
    America/Los_Angeles pt pst pdt
    America/New_York et edt
    America/Sao_Paulo brt
    America/St_Johns nst ndt
    Asia/Bangkok ict
    Asia/Dubai gst
    Asia/Hong_Kong hkt
    Asia/Jakarta wib
    Asia/Karachi pkt
    Asia/Kathmandu npt
    Asia/Kolkata ist
    Asia/Manila pht
    Asia/Seoul kst
    Asia/Singapore sgt
    Asia/Tokyo jst
    Australia/Adelaide acst acdt
    Australia/Perth awst
    Australia/Sydney aest aedt
    Europe/Athens eest
    Europe/Berlin cest mez mesz
    Europe/Istanbul trt
    Europe/Lisbon west
    Europe/London bst
    Europe/Moscow msk
    Pacific/Auckland nzst nzdt
"""
_ABBREVIATIONS = {
    letters: zone
    for zone, *written in map(str.split, _WRITTEN.strip().splitlines())
    for letters in written
}
_WELL_KNOWN = set(_ABBREVIATIONS.values())
# What else people call a country.
_ALSO_CALLED = {"GB": ("uk", "great britain", "england"), "US": ("usa",)}
# Links to a city whose country they do not stand for.
_OF_NO_COUNTRY = {"CET", "EET", "EST", "MET", "WET"}
# Two days by which zones of one country are compared: winter and summer under rules that last.
_COMPARED = (datetime(2037, 1, 1, tzinfo=UTC), datetime(2037, 7, 1, tzinfo=UTC))


@cache
def names() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_ZONES)


# --- the tables that come with the database -----------------------------------------------------


def _table(name: str) -> list[list[str]]:
    text = files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _countries() -> Mapping[str, str]:
    """Return the country code of each zone that stands for a place."""
    return {row[2]: row[0] for row in _table("zone.tab") if row[2] in names()}


@cache
def _locale(language: str) -> Locale:
    """Return the names of cities and countries in a language (Unicode CLDR)."""
    return Locale.parse(language, sep="-")


def _languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


@cache
def _links() -> Mapping[str, str]:
    """Return the zone that each alias stands for."""
    rows = (row[0].split(" ") for row in _table("tzdata.zi"))
    return {row[2]: row[1] for row in rows if row[0] == "L"}


@cache
def country_of(name: str) -> str:
    """Return the country code (ISO 3166) of this zone. Empty if it belongs to no country."""
    if name in _OF_NO_COUNTRY:
        return ""
    return _countries().get(name) or _countries().get(_links().get(name, ""), "")


# --- finding one --------------------------------------------------------------------------------


def find(typed: str) -> str:
    """Return the name of the zone that somebody typed. Empty if there is none.

    The text may be a name, a city, a country with one clock, an abbreviation or an offset from UTC.
    """
    text = _folded(typed)
    if ahead := _OFFSET.fullmatch(text):
        return _with_offset(ahead)
    name = text.replace(" ", "_")
    return (
        _by_folded_name().get(name)
        or _ABBREVIATIONS.get(name)
        or _by_city().get(text)
        or _by_city().get(name)
        or _by_city().get(text.partition(",")[0])
        or _of_country(text)
    )


def hint(typed: str) -> str:
    """Return advice for a text that is not a zone.

    Mostly there is none, and the result is empty.
    """
    text = _folded(typed)
    offset = _OFFSET.fullmatch(text)
    if offset and int(offset["minutes"] or 0):
        return gettext("An offset must be in whole hours. Name a city instead, such as Kolkata.")
    zones = sorted(_by_country().get(text, ()), key=lambda zone: zone not in _WELL_KNOWN)
    if zones:
        cities = ", ".join(city(zone) for zone in zones[:4])
        return gettext("There are several time zones there. Name a city, such as %(cities)s.") % {
            "cities": cities
        }
    return ""


def _folded(typed: str) -> str:
    """Return the text without case, accents and double spaces; empty if it is too long."""
    if len(typed) > _LONGEST:
        return ""
    plain = "".join(
        each for each in unicodedata.normalize("NFKD", typed) if not unicodedata.combining(each)
    )
    return " ".join(plain.replace("−", "-").replace("–", "-").split()).casefold()


def _with_offset(offset: re.Match[str]) -> str:
    """Return the zone that is so many whole hours ahead of UTC. Empty if there is none.

    An unescaped plus sign in a URL arrives as a space. IANA's names have the sign inverted.
    """
    if int(offset["minutes"] or 0):
        return ""
    ahead = int(offset["hours"]) * (-1 if "-" in (offset["sign"], offset["bare"]) else 1)
    name = f"Etc/GMT{-ahead:+d}" if ahead else "UTC"
    return name if name in names() else ""


@cache
def _by_folded_name() -> Mapping[str, str]:
    return {name.casefold(): name for name in sorted(names())}


@cache
def _by_city() -> Mapping[str, str]:
    """Return zones by their city in every language, and by the ends of their names.

    Names of places come first. Etc is left out: its signs mislead.
    """
    found: dict[str, str] = {}
    places = sorted(_countries())
    for name in places:
        _add_ends(found, name)
    for language in _languages():
        for name in places:
            called = city(name, language)
            found.setdefault(_folded(called), name)
            found.setdefault(_folded(f"{called}, {_country(name, language)}"), name)
    for name in sorted(names()):
        _add_ends(found, name)
    return found


def _add_ends(found: dict[str, str], name: str) -> None:
    parts = name.casefold().split("/")
    if parts[0] != "etc":
        for start in range(1, len(parts)):
            found.setdefault("/".join(parts[start:]), name)
            found.setdefault("/".join(parts[start:]).replace("_", " "), name)


@cache
def _by_country() -> Mapping[str, Sequence[str]]:
    """Return the zones of each country, by its names in every language."""
    found = defaultdict(list)
    for zone, code in _countries().items():
        called = {_folded(_country(zone, language)) for language in _languages()}
        for name in called.union(_ALSO_CALLED.get(code, ())):
            found[name].append(zone)
    return found


def _of_country(text: str) -> str:
    zones = [(name, ZoneInfo(name)) for name in _by_country().get(text, ())]
    clocks = {tuple(day.astimezone(zone).utcoffset() for day in _COMPARED) for _name, zone in zones}
    return zones[0][0] if len(clocks) == 1 else ""


# --- naming one ---------------------------------------------------------------------------------


def in_words(zone: ZoneInfo | str) -> str:
    """Return the name as people read it: `UTC+2` for the zone that IANA calls `Etc/GMT-2`."""
    name = str(zone)
    etc = _ETC.fullmatch(name)
    if etc is None:
        return name
    return f"UTC{'-' if etc['sign'] == '+' else '+'}{etc['hours']}"


def place(zone: ZoneInfo | str) -> str:
    """Return the city that a reader knows the zone by, in the active language: `New York`.

    The country follows where two cities have one name. A zone of no place is named `in_words`.
    """
    name = str(zone)
    if name not in _countries() and country_of(name):
        name = _links()[name]
    return _places(get_language() or "en").get(name) or in_words(name)


@cache
def _places(language: str) -> Mapping[str, str]:
    called = {name: city(name, language) for name in _countries()}
    count = Counter(map(_folded, called.values()))
    return {
        name: f"{text}, {_country(name, language)}" if count[_folded(text)] > 1 else text
        for name, text in called.items()
    }


def city(name: str, language: str = "") -> str:
    """Return the city of a zone that stands for a place, by default in the active language."""
    known = _locale(language or get_language() or "en").time_zones.get(name, {})
    return str(known.get("city") or name.rpartition("/")[2].replace("_", " "))


def _country(name: str, language: str) -> str:
    code = country_of(name)
    return str(_locale(language).territories.get(code, code))


def options(now: datetime, *, twelve_hours: bool) -> str:
    """Return the `<option>` elements of a list to choose a zone from, by their city.

    Each says its city, country, abbreviation, offset and local time.
    """
    return _options(int(now.timestamp()) // 60, twelve_hours, get_language() or "en")


@lru_cache(maxsize=16)  # they change with the minute
def _options(minute: int, twelve_hours: bool, language: str) -> str:
    now = datetime.fromtimestamp(minute * 60, UTC)
    return format_html_join(
        "",
        '<option value="{}" label="{}">',
        (
            (called, _label(name, now.astimezone(zone), twelve_hours, language))
            for called, name, zone in _listed(language)
        ),
    )


@cache
def _listed(language: str) -> Sequence[tuple[str, str, ZoneInfo]]:
    """Return the zones to choose from, one for each place, in the order of what they are called.

    Cached, since `ZoneInfo` caches only a few.
    """
    called = {**_places(language), "UTC": "UTC"}
    rows = [(text, name, ZoneInfo(name)) for name, text in called.items()]
    return sorted(rows, key=lambda row: _folded(row[0]))


def _label(name: str, local: datetime, twelve_hours: bool, language: str) -> str:
    letters = str(local.tzname())
    clock = f"{local.hour % 12 or 12}:{local:%M %p}" if twelve_hours else f"{local:%H:%M}"
    place = city(name, language), _country(name, language)
    parts = (*place, letters if letters.isalpha() else "", offset(local), clock)
    return ", ".join(dict.fromkeys(filter(None, parts)))


def offset(local: datetime) -> str:
    """Return an offset such as `UTC+5:30`."""
    ahead = local.utcoffset() or timedelta()
    hours, minutes = divmod(abs(ahead) // timedelta(minutes=1), 60)
    if not hours and not minutes:
        return "UTC"
    return f"UTC{'-' if ahead < timedelta() else '+'}{hours}" + (
        f":{minutes:02}" if minutes else ""
    )


# --- using one ----------------------------------------------------------------------------------


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of that IANA name, or UTC for an unknown name.

    The meeting API reads the date of a request so (docs/contract.md).
    """
    return ZoneInfo(name if name in names() else "UTC")


def iana_name(written: str) -> str:
    """Return the IANA name of an offset such as `GMT+2`. Any other text is returned unchanged."""
    offset = None if written in names() else _OFFSET.fullmatch(_folded(written))
    return (_with_offset(offset) if offset else "") or written


def validate_zone(name: str) -> None:
    """Raise ValidationError for a text that is not an IANA name, with advice if there is some."""
    if name not in names():
        unknown = _("“%(name)s” is not a time zone.") % {"name": name[:64]}
        raise ValidationError(hint(name) or unknown)
