"""On which clock, and how, a visitor without an account reads times."""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import translation

from accounts import zones

_TIME_FORMATS = {"12": "hh:mm a", "24": "HH:mm"}
_COOKIE_AGE = 31_536_000


@dataclass(frozen=True)
class Visitor:
    """A reader of times. `hours` is 12 or 24; `unknown` what they typed that is no time zone.

    `hint` says what to type instead, where there is something to say.

    `said` is what the request itself says of both, and `guesses` are those that nobody has told us:
    a script may know better.
    """

    zone: ZoneInfo
    hours: str
    said: dict[str, str]
    guesses: list[str]
    unknown: str = ""
    hint: str = ""
    date_format: str = "yyyy-MM-dd"

    @property
    def time_format(self) -> str:
        return _TIME_FORMATS[self.hours]

    @cached_property
    def query(self) -> str:
        """As an address says it."""
        return urlencode({"zone": str(self.zone), "hours": self.hours})


def visitor_of(request: HttpRequest, *, default: ZoneInfo) -> Visitor:
    """What the request says of it, else an earlier one (a cookie), else their account."""
    sent = request.POST if request.method == "POST" else request.GET
    said, kept = _understood(sent), _understood(request.COOKIES)
    zone, hours = said["zone"] or kept["zone"], said["hours"] or kept["hours"]
    if request.user.is_authenticated:
        zone = zone or str(request.user.zone)
        hours = hours or ("12" if request.user.time_format == "hh:mm a" else "24")
    guesses = [name for name, value in {"zone": zone, "hours": hours}.items() if not value]
    if not hours:
        hours = "12" if translation.get_language() == "en" else "24"
    return Visitor(
        zone=ZoneInfo(zone) if zone else default,
        hours=hours,
        said=said,
        guesses=guesses,
        unknown="" if said["zone"] else sent.get("zone", "")[:64],
        hint="" if said["zone"] else zones.hint(sent.get("zone", "")),
    )


def _understood(values: QueryDict | dict[str, str]) -> dict[str, str]:
    """The zone and the hours that are said there; empty where that is none."""
    hours = values.get("hours", "")
    return {
        "zone": zones.find(values.get("zone", "")),
        "hours": hours if hours in _TIME_FORMATS else "",
    }


def remember(visitor: Visitor, response: HttpResponse) -> None:
    """Keep what the address says for the next page; it is no secret and names nobody."""
    for name, value in visitor.said.items():
        if value:
            response.set_cookie(
                name, value, max_age=_COOKIE_AGE, secure=settings.HTTPS, samesite="Lax"
            )
