"""Time zone and time format of a visitor, who needs no account."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import translation
from django.utils.formats import get_format

from core.text import zones
from core.text.times import Reader
from core.web.languages import region_of

_TIME_FORMATS = {"12": "hh:mm a", "24": "HH:mm"}
_COOKIE_AGE = 31_536_000
# Countries whose weeks begin on another day than Monday, by ISO weekday (Unicode CLDR 44,
# `weekData`).
_FIRST_DAYS = {
    7: (
        "AG AS BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN JM JP KE KH KR LA MH MM MO"
        " MT MX MZ NI NP PA PE PH PK PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW"
    ),
    6: "AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY",
    5: "MV",
}


@dataclass(frozen=True)
class Visitor:
    """Reader of times. `hours` is 12 or 24; `unknown` is a typed text that is no time zone.

    `hint` says what to type instead, if there is something to say.

    `said` is the zone and the hours in the request itself. `guesses` names those of the two that
    nobody has given: a script may know better.
    """

    zone: ZoneInfo
    hours: str
    said: dict[str, str]
    guesses: list[str]
    unknown: str = ""
    hint: str = ""
    date_format: str = "yyyy-MM-dd"
    week_start: int = 1

    @property
    def time_format(self) -> str:
        return _TIME_FORMATS[self.hours]


def visitor_of(request: HttpRequest, *, default: ZoneInfo) -> Visitor:
    """Return the visitor from the request, else from earlier cookies, else from their account."""
    said, kept = _understood(_sent(request)), _understood(request.COOKIES)
    zone, hours = said["zone"] or kept["zone"], said["hours"] or kept["hours"]
    if request.user.is_authenticated:
        zone = zone or str(request.user.zone)
        hours = hours or _hours_of(request.user)
    guesses = [name for name, value in {"zone": zone, "hours": hours}.items() if not value]
    if not hours:
        hours = "12" if translation.get_language() == "en" else "24"
    return _visitor(
        request, said, zone=ZoneInfo(zone) if zone else default, hours=hours, guesses=guesses
    )


def reader_of(request: HttpRequest, person: Reader) -> Visitor:
    """Return a person whose clock is known. The request may name another one to look at."""
    said = _understood(_sent(request))
    zone = ZoneInfo(said["zone"]) if said["zone"] else person.zone
    return _visitor(request, said, zone=zone, hours=said["hours"] or _hours_of(person), guesses=[])


def _visitor(
    request: HttpRequest, said: dict[str, str], *, zone: ZoneInfo, hours: str, guesses: list[str]
) -> Visitor:
    typed, user = _sent(request).get("zone", ""), request.user
    return Visitor(
        zone=zone,
        hours=hours,
        said=said,
        guesses=guesses,
        unknown="" if said["zone"] else typed[:64],
        week_start=user.week_start if user.is_authenticated else _week_start(request),
        hint="" if said["zone"] else zones.hint(typed),
    )


def _sent(request: HttpRequest) -> QueryDict:
    return request.POST if request.method == "POST" else request.GET


def _hours_of(person: Reader) -> str:
    return "12" if person.time_format == _TIME_FORMATS["12"] else "24"


def _week_start(request: HttpRequest) -> int:
    """Return the ISO weekday on which weeks begin in the browser's region, else for its language.

    A language alone counts as the country from which Django takes its formats.
    """
    if region := region_of(request):
        return next((day for day, regions in _FIRST_DAYS.items() if region in regions), 1)
    return get_format("FIRST_DAY_OF_WEEK") or 7  # Django's Sunday is 0


def _understood(values: QueryDict | dict[str, str]) -> dict[str, str]:
    """Return the zone and the hours in these values. A missing or invalid one is empty."""
    hours = values.get("hours", "")
    return {
        "zone": zones.find(values.get("zone", "")),
        "hours": hours if hours in _TIME_FORMATS else "",
    }


def remember(visitor: Visitor, response: HttpResponse) -> None:
    """Keep the values of the request in cookies for the next page.

    They are no secret and name nobody.
    """
    for name, value in visitor.said.items():
        if value:
            response.set_cookie(
                name, value, max_age=_COOKIE_AGE, secure=settings.HTTPS, samesite="Lax"
            )
