"""Signed links in emails, for invitations to a team."""

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Invitation
from core.errors import NotFound

_SALT = "accounts.invitation"


def invitation_url(invitation: Invitation) -> str:
    """Return the link that accepts the invitation, valid until the invitation expires."""
    token = signing.dumps(invitation.pk, salt=_SALT)
    return settings.PUBLIC_URL + reverse("accounts:join_team", args=[token])


def read_invitation(token: str) -> Invitation:
    """Return the invitation, which may have expired. NotFound if it does not exist (any more)."""
    try:
        invitation_id = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        raise NotFound(
            _("This link is not complete. Copy the whole of it from the email.")
        ) from None
    found = Invitation.objects.select_related("team", "invited_by").filter(pk=invitation_id)
    invitation = found.first()
    if invitation is None:
        raise NotFound(
            _("This invitation has been used, or was withdrawn. The sender can send another.")
        )
    return invitation
