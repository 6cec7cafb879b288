"""Links that invitees act with, made of columns of a booking."""

import hashlib
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.urls import reverse

MANAGE = "scheduling.manage"


def manage_url(booking_id: int, email: str) -> str:
    """Return the URL where the invitee sees, moves and cancels this booking."""
    return settings.PUBLIC_URL + reverse(
        "scheduling:manage", args=[manage_token(booking_id, email)]
    )


def cancel_url(booking_id: int, email: str, erased_at: datetime | None) -> str | None:
    """Return the URL where the invitee cancels. None if nothing is known of the invitee."""
    return None if erased_at else f"{manage_url(booking_id, email)}#cancel"


def reschedule_url(booking_id: int, email: str, erased_at: datetime | None) -> str | None:
    """Return the URL where the invitee reschedules. None if nothing is known of the invitee."""
    return None if erased_at else f"{manage_url(booking_id, email)}#move"


def manage_token(booking_id: int, email: str) -> str:
    """Return the token at the end of an invitee's URLs. It is always the same for a booking."""
    return signing.Signer(salt=MANAGE).sign_object([booking_id, address_digest(email)])


def address_digest(email: str) -> str:
    """Return a digest by which a link knows its invitee, without saying who it is."""
    return hashlib.sha256(email.lower().encode()).hexdigest()[:16]
