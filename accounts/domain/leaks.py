"""Leaked tokens: found where they should not be, or used once too often."""

import re
import uuid
from datetime import datetime

from django.db import transaction
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
    """Tell whether this text has the form of a Parley token."""
    return _PATTERN.fullmatch(text) is not None


@transaction.atomic
def revoke(*, token: str, now: datetime) -> None:
    """End a token that others have seen, at once, and tell its owner. Ignore an invalid token.

    If an application got the token, all tokens of the same consent end too.
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
    """End all tokens of a consent whose code or refresh token was used again.

    Somebody may have copied it (RFC 6749, 4.1.2; RFC 9700, 4.14.2). The person who gave the consent
    gets an email, unless the tokens had ended before.
    """
    ended = applications.end_family(family, action=Action.TOKEN_REUSED, now=now)
    if ended is not None:
        _mail(ended.user, "token_reused", ended.application.name, "connections", now)


def _tell(person: User, *, name: str, is_ours: bool, now: datetime) -> None:
    """Tell the owner.

    `is_ours` means a personal API token; otherwise the application `name` got it.
    """
    _mail(person, "token_leaked", name, "tokens" if is_ours else "connections", now)


def _mail(person: User, kind: str, name: str, page: str, now: datetime) -> None:
    """Mail this person. `page` names where the rest of what could leak is listed."""
    facts = {"id": person.pk, "name": name, "page": page}
    notifications.enqueue([notifications.email(kind, facts, user=person)], now=now)
