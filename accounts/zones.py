"""Names of time zones: IANA's, as the machine's database knows them."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _


@cache
def names() -> frozenset[str]:
    # Both lie beside the zones on many systems: one is the server's own, one a placeholder.
    return frozenset(available_timezones() - {"localtime", "Factory"})


@cache
def options() -> str:
    """The `<option>` elements of a list to choose a zone from."""
    return format_html_join("", '<option value="{}">', ((name,) for name in sorted(names())))


def find(text: str) -> str:
    """The name of the zone that somebody has typed: whole, or its place alone; else empty."""
    wanted = "_".join(text.split()).casefold()
    folded = _by_folded_name()
    if not wanted or wanted in folded:
        return folded.get(wanted, "")
    return next((name for each, name in folded.items() if each.endswith(f"/{wanted}")), "")


@cache
def _by_folded_name() -> dict[str, str]:
    return {name.casefold(): name for name in sorted(names())}


def zone_of(name: str) -> ZoneInfo:
    """The zone of that IANA name; UTC where there is none (the contract's rule for recipients)."""
    return ZoneInfo(name if name in names() else "UTC")


def validate_zone(name: str) -> None:
    if name not in names():
        raise ValidationError(_("“%(name)s” is not a time zone."), params={"name": name[:64]})
