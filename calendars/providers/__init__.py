"""Providers of calendars: what talks to calendar servers. It knows no table."""

from collections.abc import Callable, Mapping

from calendars.providers.base import Provider
from calendars.providers.caldav import CalDav
from calendars.providers.ics import IcsFeed
from core.web.guarded_http import Policy

_PROVIDERS: Mapping[str, Callable[..., Provider]] = {"ics": IcsFeed, "caldav": CalDav}


def connect(name: str, secret: Mapping[str, str], *, until: float, policy: Policy) -> Provider:
    """Return the account with these credentials on a provider. KeyError if there is none.

    `ics` needs a `url`, `caldav` a `username` and a `password` too. Every request ends by `until`
    (`time.monotonic`).
    """
    return _PROVIDERS[name](**secret, until=until, policy=policy)
