"""Texts of the messages about accounts and teams, written when they are sent.

Mails of allauth, and the last mail of a deleted account, are written at once: their facts are gone
afterwards.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from accounts.domain import links, teams
from accounts.models import Invitation, User
from notifications.domain import kinds, notifications
from notifications.domain.kinds import Facts, Message, Untrue

_PAGES = {"tokens": "accounts:tokens", "connections": "accounts:connections"}


class InvitationWriter(kinds.Writer):
    """Writes invitations: to an account in its language, to others in the one of the facts."""

    def find(self, ids: Collection[int]) -> Mapping[int, Invitation]:
        return Invitation.objects.select_related("team", "invited_by").in_bulk(ids)

    def check(self, kind: str, found: Invitation, facts: Facts, *, now: datetime) -> None:
        if found.expires_at <= now:
            raise Untrue("late")

    def write(self, kind: str, found: Invitation, facts: Facts, *, now: datetime) -> Message:
        known = teams.account_of(found)
        content = notifications.render_email(
            kind,
            {"invitation": found, "url": links.invitation_url(found), "person": known},
            language=known.mail_language if known else facts["language"],
        )
        return Message(found.email, content)


class LeakWriter(kinds.Writer):
    """Writes to people whose tokens others have seen or used."""

    def find(self, ids: Collection[int]) -> Mapping[int, User]:
        return User.objects.in_bulk(ids)

    def write(self, kind: str, found: User, facts: Facts, *, now: datetime) -> Message:
        context = {
            "person": found,
            "url": settings.PUBLIC_URL + reverse(_PAGES[facts["page"]]),
            "security_url": settings.PUBLIC_URL + reverse("accounts:security"),
            "name": facts["name"],
            "is_ours": facts["page"] == "tokens",
        }
        content = notifications.render_email(kind, context, language=found.mail_language)
        return Message(found.email, content)


kinds.register(["team_invitation"], InvitationWriter())
kinds.register(["token_leaked", "token_reused"], LeakWriter())
