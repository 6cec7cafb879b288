"""Emails that anybody can have sent to a mailbox: a few an hour, counted in the cache."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from accounts.domain import windows
from accounts.domain.windows import Window
from core.text import mailboxes, times

_MAILS = Window(
    "account_mails",
    timedelta(hours=1),
    _("We send at most %(count)d emails an hour to this address. Try again from %(until)s."),
)


class About(StrEnum):
    """The two kinds of mail that are counted apart: sign-ups by strangers cost nobody a reset."""

    ADDRESS = "address"
    PASSWORD = "password"  # noqa: S105  no password


def refusal(address: str, about: About, *, now: datetime, reader: times.Reader) -> str:
    """Return why no such email goes to this mailbox by now, in words; empty where there is room.

    It is the same whether or not the address has an account.
    """
    slots = _slots(address, about)
    taken = sorted(cache.get(slot, 0) for slot in slots)
    if not taken or taken[0] <= now.timestamp():
        return ""
    until = datetime.fromtimestamp(taken[0], UTC)
    return windows.refused(_MAILS, until=until, now=now, reader=reader).message


def take(address: str, about: About, *, now: datetime) -> bool:
    """Count such an email to this mailbox; False where there is no room for one.

    Each email holds a slot for an hour, and only one of two requests gets the last slot.
    """
    until, slots = (now + _MAILS.length).timestamp(), _slots(address, about)
    seconds = int(_MAILS.length.total_seconds())
    return not slots or any(cache.add(slot, until, seconds) for slot in slots)


def _slots(address: str, about: About) -> list[str]:
    mailbox = mailboxes.digest(address)
    return [f"mailbox:{about}:{mailbox}:{number}" for number in range(_MAILS.most)]
