"""Limits of the team invitations that an account sends: fewer in its first week."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from accounts.domain import audit, services, windows
from accounts.domain.audit import Action
from accounts.domain.windows import Window
from accounts.models import AuditEntry, Team, User

FIRST_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_NEW = Window(
    "invitations_new",
    _DAY,
    _(
        "In its first week an account sends at most %(count)d invitations a day. You can send"
        " another from %(until)s."
    ),
)
_LATER = Window(
    "invitations",
    _DAY,
    _("An account sends at most %(count)d invitations a day. You can send another from %(until)s."),
)


def count(*, team: Team, actor: User, now: datetime) -> None:
    """Count an invitation that this person sends or sends again; Busy for one too many.

    In the transaction that writes it, before the team is locked: the person is locked first.
    """
    services.lock(actor.pk)
    sent = AuditEntry.objects.filter(person=actor, action=Action.INVITATION_SENT)
    window = _NEW if now < actor.created_at + FIRST_WEEK else _LATER
    moments = sent.filter(at__gt=now - window.length).order_by("-at").values_list("at", flat=True)
    windows.require_room(window, moments, now=now, reader=actor)
    audit.record(Action.INVITATION_SENT, person=actor, actor=actor, subject=team.name, now=now)
