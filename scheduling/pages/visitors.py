"""On which clock, and how, a visitor without an account reads times."""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from accounts import zones

_TIME_FORMATS = {"12": "hh:mm a", "24": "HH:mm"}
_COOKIE_AGE = 31_536_000


@dataclass(frozen=True)
class Visitor:
    """A reader of times. `hours` is 12 or 24; `unknown` what they typed that is no time zone.

    `guesses` are those of `zone` and `hours` that nobody has told us: a script may know better.
    """

    zone: ZoneInfo
    hours: str
    guesses: list[str]
    unknown: str = ""
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
    said = request.POST if request.method == "POST" else request.GET
    typed, hours = said.get("zone", ""), said.get("hours", "")
    zone = zones.find(typed) or zones.find(request.COOKIES.get("zone", ""))
    hours = hours if hours in _TIME_FORMATS else request.COOKIES.get("hours", "")
    hours = hours if hours in _TIME_FORMATS else ""
    if request.user.is_authenticated:
        zone = zone or str(request.user.zone)
        hours = hours or ("12" if request.user.time_format == "hh:mm a" else "24")
    guesses = [name for name, value in {"zone": zone, "hours": hours}.items() if not value]
    if not hours:
        hours = "12" if translation.get_language() == "en" else "24"
    return Visitor(
        zone=ZoneInfo(zone) if zone else default,
        hours=hours,
        guesses=guesses,
        unknown="" if zones.find(typed) else typed[:64],
    )


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Keep what the address says for the next page; it is no secret and names nobody."""
    said = {"zone": zones.find(request.GET.get("zone", "")), "hours": request.GET.get("hours", "")}
    for name, value in said.items():
        if value and (name == "zone" or value in _TIME_FORMATS):
            response.set_cookie(
                name, value, max_age=_COOKIE_AGE, secure=settings.HTTPS, samesite="Lax"
            )
