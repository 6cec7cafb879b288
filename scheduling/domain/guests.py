"""Guests of a booking: people whom its invitee brings along."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from core.db.inserting import insert
from core.errors import Invalid
from core.text.lines import validate_address
from scheduling.models import Booking, Guest

MOST = 10
_LONGEST = 254


def checked(addresses: Iterable[str], *, invitee: str, host: str) -> list[str]:
    """Return these addresses, each once in any case. Raise Invalid, which names each wrong one."""
    found = dict[str, str]()
    for address in addresses:
        found.setdefault(address.lower(), address)
    said = (_refusal(address, invitee=invitee, host=host) for address in found.values())
    refused = list(filter(None, said))
    if len(found) > MOST:
        refused.append(_("A booking can have %(count)d guests.") % {"count": MOST})
    if refused:
        raise Invalid(" ".join(refused), field="guests")
    return list(found.values())


def _refusal(address: str, *, invitee: str, host: str) -> str:
    named = {"address": address[:_LONGEST]}
    try:
        validate_address(address)
    except ValidationError:
        return _("“%(address)s” is not an email address.") % named
    if len(address) > _LONGEST:
        return _("“%(address)s” is too long.") % named
    if address.lower() == invitee.lower():
        return _("“%(address)s” is the invitee.") % named
    if address.lower() == host.lower():
        return _("“%(address)s” is the host.") % named
    return ""


def add(booking: Booking, addresses: Sequence[str], *, now: datetime) -> list[Guest]:
    """Write the guests of a new booking, in the caller's transaction."""
    guests = [Guest(booking=booking, email=address, created_at=now) for address in addresses]
    if guests:
        insert(*guests)
    return guests
