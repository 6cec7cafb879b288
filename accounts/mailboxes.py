"""Mailboxes: which addresses are one, and how many emails anybody can have sent to one.

A mailbox is known by a keyed digest. Neither the cache nor an index holds an address in clear.
"""

import unicodedata
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.core.cache import cache
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import clock, windows
from accounts.windows import Window
from config.crypto import DigestField

_GMAIL = ("gmail.com", "googlemail.com")
_LENGTH = 32
_MAILS = Window(
    "account_mails",
    timedelta(hours=1),
    _("We send at most %(count)d emails an hour to this address. Try again from %(until)s."),
)


def digest(address: str) -> str:
    """Return the digest of the mailbox of an address, of 32 hexadecimal digits."""
    mac = salted_hmac("accounts.mailboxes", _mailbox(address), algorithm="sha256")
    return mac.hexdigest()[:_LENGTH]


def _mailbox(address: str) -> str:
    """Return the address without what does not make another mailbox.

    That is case, quotes, `+tag`, and dots at Gmail.
    """
    name, _at, domain = unicodedata.normalize("NFKC", address).strip().casefold().rpartition("@")
    name = name.replace('"', "").replace("\\", "")
    name = name.partition("+")[0] or name
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode()
    if domain in _GMAIL:
        name, domain = name.replace(".", ""), _GMAIL[0]
    return f"{name}@{domain}"


class MailboxField(DigestField):
    """The digest of the mailbox of another field's address. Finds rows of one mailbox."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max_length": _LENGTH, **options})

    def digest_of(self, text: str) -> str:
        return digest(text)


# --- emails that anybody can ask for --------------------------------------------------------------


class About(StrEnum):
    """The two kinds of mail that are counted apart: sign-ups by strangers cost nobody a reset."""

    ADDRESS = "address"
    PASSWORD = "password"  # noqa: S105  no password


def refusal(address: str, about: About, *, now: datetime, reader: clock.Reader) -> str:
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
    mailbox = digest(address)
    return [f"mailbox:{about}:{mailbox}:{number}" for number in range(_MAILS.most)]
