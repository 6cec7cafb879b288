"""Signed links in emails: an invitee's to manage a booking, a host's to answer it."""

from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from core.db.prepared import Prepared
from core.errors import NotFound
from scheduling.domain import links
from scheduling.models import Booking

_ANSWER = "scheduling.answer"


def manage_url(booking: Booking) -> str:
    """Return the URL where the invitee sees, moves and cancels this booking."""
    return links.manage_url(booking.pk, booking.invitee_email)


def calendar_url(booking: Booking) -> str:
    """Return the URL of the ways to put this booking into a calendar, for its invitee."""
    return f"{manage_url(booking)}#calendar"


def manage_token(booking: Booking) -> str:
    """Return the token at the end of an invitee's URLs."""
    return links.manage_token(booking.pk, booking.invitee_email)


_BY_NUMBER = Prepared[Booking](lambda number: Booking.objects.with_people().filter(pk=number))


def read_manage(token: str) -> Booking:
    """Return the booking that the invitee may manage. Raise NotFound for any other link."""
    booking_id, address = load(token, links.MANAGE)
    booking = next(iter(_BY_NUMBER.objects(number=booking_id)), None)
    if booking is not None and booking.erased_at:
        raise NotFound(_("The person who booked with this link has been erased."))
    if booking is None or links.address_digest(booking.invitee_email) != address:
        raise NotFound(_("This booking is no longer here."))
    return booking


def booking_url(booking: Booking) -> str:
    """Return the URL of the host's page of this booking."""
    return settings.PUBLIC_URL + reverse("scheduling:booking", args=[booking.pk])


def answer_url(booking: Booking) -> str:
    """Return the URL where the host answers this booking without signing in."""
    token = signing.dumps([booking.pk, booking.host_id, booking.sequence], salt=_ANSWER)
    return settings.PUBLIC_URL + reverse("scheduling:answer", args=[token])


def read_answer(token: str) -> tuple[Booking, User, int]:
    """Return the booking, its host and the sequence that they saw.

    Raise NotFound for any other link.
    """
    booking_id, host_id, sequence = load(token, _ANSWER)
    answerable = Booking.objects.with_people().filter(host__is_active=True)
    booking = answerable.filter(pk=booking_id, host=host_id).first()
    if booking is None:
        raise NotFound(_("This booking is no longer here."))
    return booking, booking.host, sequence


class _Signer(signing.Signer):
    """Signer that reads links with the time when they were signed, and links without one."""

    def unsign(self, signed_value: str) -> str:
        return super().unsign(signed_value).partition(":")[0]


def load(token: str, salt: str) -> Any:
    """Return what was signed into a link; NotFound for a link that is not whole."""
    try:
        return _Signer(salt=salt).unsign_object(token)
    except signing.BadSignature:
        raise NotFound(
            _("This link is not complete. Copy the whole of it from the email.")
        ) from None
