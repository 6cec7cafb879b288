"""Zone and formats in which the sender of a request reads times, with or without an account."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import translation

from accounts.models import User
from core.text import times, zones

_HOURS = {"12": "hh:mm a", "24": "HH:mm"}


@dataclass(frozen=True)
class Reader:
    """A reader of times without an account."""

    zone: ZoneInfo
    date_format: str
    time_format: str


def reader_of(request: HttpRequest) -> times.Reader:
    """Return the account that is signed in.

    Else use the form or a cookie, and UTC as the last resort. The public pages send `zone` and keep
    the cookies `zone` and `hours`. The sign-up form sends `timezone`.
    """
    if isinstance(request.user, User):
        return request.user
    sent = request.POST.get("timezone") or request.POST.get("zone")
    typed = sent or request.COOKIES.get("zone", "")
    language = translation.get_language() or ""
    date_format, time_format = times.formats_of(language, ("yyyy-MM-dd", "HH:mm"))
    return Reader(
        zone=zones.zone_of(zones.find(typed)),
        date_format=date_format,
        time_format=_HOURS.get(request.COOKIES.get("hours", ""), time_format),
    )
