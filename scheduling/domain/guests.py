"""Guests of a booking: people whom its invitee brings along."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from core.db.inserting import insert
from core.errors import Invalid
from core.text import mailboxes
from core.text.lines import validate_address
from scheduling.models import Booking, Guest

MOST = 10
_LONGEST = 254


def checked(addresses: Iterable[str], *, invitee: str, host: str) -> list[str]:
    """Return these addresses, one of each mailbox. Raise Invalid, which names each wrong one.

    The host comes anyway. Their address is left out without a word, since nobody is to learn it.
    """
    found = dict[str, str]()
    for address in addresses:
        found.setdefault(mailboxes.digest(address), address)
    found.pop(mailboxes.digest(host), None)
    said = (_refusal(address, invitee=invitee) for address in found.values())
    refused = list(filter(None, said))
    if len(found) > MOST:
        refused.append(_("A booking can have %(count)d guests.") % {"count": MOST})
    if refused:
        raise Invalid(" ".join(refused), field="guests")
    return list(found.values())


def _refusal(address: str, *, invitee: str) -> str:
    named = {"address": address[:_LONGEST]}
    try:
        validate_address(address)
    except ValidationError:
        return _("“%(address)s” is not an email address.") % named
    if len(address) > _LONGEST:
        return _("“%(address)s” is too long.") % named
    if mailboxes.digest(address) == mailboxes.digest(invitee):
        return _("“%(address)s” is the invitee.") % named
    return ""


def add(booking: Booking, addresses: Sequence[str], *, now: datetime) -> list[Guest]:
    """Write the guests of a new booking, in the caller's transaction."""
    guests = [Guest(booking=booking, email=address, created_at=now) for address in addresses]
    if guests:
        insert(*guests)
    return guests
