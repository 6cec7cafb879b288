"""What happens to people's accounts, tokens and devices."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit, usernames
from accounts import scopes as scope_names
from accounts.audit import Action
from accounts.models import ApiToken, PushDevice, User, new_token
from config import crypto
from config.errors import AccountClosed, Invalid


def lock(person_id: int) -> User:
    """Lock the person until the transaction ends and return them as they are now.

    Every function that writes what belongs to a person takes this lock first, before any other row.
    Erasure takes it too: what is written before it is erased, and nothing is written after it.
    AccountClosed where the account is not active.
    """
    person = lock_kept(person_id)
    if person is None or not person.is_active:
        raise AccountClosed(_("This account is closed."))
    return person


def lock_kept(person_id: int) -> User | None:
    """Lock the person, active or deactivated; None where the account has been deleted."""
    people = User.objects.select_for_update(no_key=True)
    return people.filter(pk=person_id, deleted_at=None).first()


def vouch_for_email(*, user: User) -> None:
    """Count this person's address as verified: somebody in charge has entered it."""
    EmailAddress.objects.filter(user=user).exclude(email=user.email).update(primary=False)
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def update_profile(*, user: User, **values: Any) -> User:
    """Change these fields. ValidationError for values that the model does not take.

    Invalid for a username that is reserved or somebody else's. The zone of the hours that others
    can book stays as it is; it has a door of its own.
    """
    wanted = values.get("username", user.username)
    if wanted != user.username and (problem := usernames.problem_with(wanted)):
        raise Invalid(problem, field="username")
    for name, value in values.items():
        setattr(user, name, value)
    user.full_clean(validate_unique=False)
    try:
        with transaction.atomic():
            lock(user.pk)
            user.save(update_fields=[*values, "updated_at"])
    except IntegrityError:
        if "username" not in values:
            raise
        # Asked beforehand, it might still be taken in the meantime.
        raise Invalid(_("Somebody else has this username."), field="username") from None
    return user


def create_token(
    *, user: User, name: str, scopes: Collection[str], expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new bearer token: its row, and the token itself, which cannot be had again."""
    unknown = sorted(set(scopes) - set(scope_names.SCOPES))
    if unknown:
        raise Invalid(_("There is no scope %(scope)s.") % {"scope": unknown[0]}, field="scopes")
    if not scopes:
        raise Invalid(_("Choose at least one scope."), field="scopes")
    token = new_token()
    with transaction.atomic():
        lock(user.pk)
        row = ApiToken.objects.create(
            user=user,
            name=name,
            digest=crypto.digest(token),
            hint=token[:8],
            scopes=sorted(set(scopes)),
            expires_at=expires_at,
        )
        audit.record(
            Action.TOKEN_MADE, person=user, actor=user, subject=str(row), now=row.created_at
        )
    return row, token


def note_use(*, token: ApiToken, now: datetime) -> None:
    """Note that a token was used, at most once a minute; its first use is told in the audit log."""
    noted = ApiToken.objects.filter(pk=token.pk).touch(now)
    if noted and token.last_used_at is None:
        with suppress(AccountClosed), transaction.atomic():
            lock(token.user_id)
            audit.record(Action.TOKEN_USED, person=token.user, subject=str(token), now=now)


@transaction.atomic
def revoke_token(
    *, token: ApiToken, now: datetime, actor: User | None, action: Action = Action.TOKEN_REVOKED
) -> bool:
    """End a token at once; whether it was still good. `actor` is its owner, staff, or nobody."""
    lock_kept(token.user_id)
    ended = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
    if ended:
        audit.record(action, person=token.user, actor=actor, subject=str(token), now=now)
    return bool(ended)


@transaction.atomic
def register_device(*, user: User, token: str, platform: str, name: str = "") -> PushDevice:
    """Reach this person on this device. A device changes hands with whoever signs in on it."""
    lock(user.pk)
    device, _created = PushDevice.objects.update_or_create(
        digest=crypto.digest(token),
        defaults={
            "user": user, "token": token, "platform": platform, "name": name, "is_active": True,
        },
    )  # fmt: skip
    return device


def deactivate_device(*, digest: str) -> None:
    """Stop sending to a device that Firebase no longer knows."""
    PushDevice.objects.filter(digest=digest).update(is_active=False)
