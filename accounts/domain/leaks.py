"""Tokens that somebody else may have: found where they should not be, or used once too often."""

import re
import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from oauth2_provider.models import AccessToken

from accounts.domain import applications, services
from accounts.domain.audit import Action
from accounts.models import TOKEN_PREFIX, ApiToken, User, checksum_holds
from core.db.crypto import digest
from notifications.domain import notifications

# What scanners look for. Of 62^6 texts of this shape, one has a checksum that fits.
PATTERN = r"(pat|oat|ort)_[0-9A-Za-z]{46}"
_PATTERN = re.compile(PATTERN)


def is_token(text: str) -> bool:
    """Whether this has the shape of a token of ours."""
    return _PATTERN.fullmatch(text) is not None


@transaction.atomic
def revoke(*, token: str, now: datetime) -> None:
    """End a token that others have seen, at once, and tell its owner; nothing if it opens nothing.

    Of a token that an application got, all that came of the same consent ends with it.
    """
    if not checksum_holds(token):
        return
    if token.startswith(TOKEN_PREFIX):
        row = ApiToken.objects.select_related("user").filter(digest=digest(token)).first()
        if row and services.revoke_token(
            token=row, actor=None, action=Action.TOKEN_LEAKED, now=now
        ):
            _tell(row.user, name=row.name, is_ours=True, now=now)
        return
    found = applications.find_token(token)
    if isinstance(found, AccessToken) and found.expires <= now:
        return
    if found and applications.end(token=found, actor=None, action=Action.TOKEN_LEAKED, now=now):
        _tell(found.user, name=found.application.name, is_ours=False, now=now)


@transaction.atomic
def come_again(*, family: uuid.UUID, now: datetime) -> None:
    """A code or a refresh token was used once more: somebody may have copied it.

    All that came of the same consent ends (RFC 6749, 4.1.2; RFC 9700, 4.14.2), and whoever gave it
    is told, unless that had ended before.
    """
    ended = applications.end_family(family, action=Action.TOKEN_REUSED, now=now)
    if ended is not None:
        name, page = ended.application.name, "accounts:connections"
        _mail(ended.user, "token_reused", page, {"name": name}, now)


def _tell(person: User, *, name: str, is_ours: bool, now: datetime) -> None:
    """`is_ours`: it was made by hand; else an application of this name got it."""
    page = "accounts:tokens" if is_ours else "accounts:connections"
    _mail(person, "token_leaked", page, {"name": name, "is_ours": is_ours}, now)


def _mail(person: User, kind: str, page: str, about: dict[str, Any], now: datetime) -> None:
    context = {
        "person": person,
        "url": f"{settings.PUBLIC_URL}{reverse(page)}",
        "security_url": f"{settings.PUBLIC_URL}{reverse('accounts:security')}",
        **about,
    }
    content = notifications.render_email(kind, context, language=person.mail_language)
    notifications.email(address=person.email, kind=kind, content=content, now=now, user=person)
