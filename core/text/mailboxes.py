"""Mailboxes: which email addresses are one.

A mailbox is known by a keyed digest. Neither the cache nor an index holds an address in clear.
"""

import unicodedata
from contextlib import suppress
from typing import Any

from django.utils.crypto import salted_hmac

from core.db.crypto import DigestField

_GMAIL = ("gmail.com", "googlemail.com")
_LENGTH = 32


def digest(address: str) -> str:
    """Return the digest of the mailbox of an address, of 32 hexadecimal digits."""
    mac = salted_hmac("mailboxes", _mailbox(address), algorithm="sha256")
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
