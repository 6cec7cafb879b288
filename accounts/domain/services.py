"""Actions on people's accounts, tokens, devices and choices of messages."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.domain import audit, limits
from accounts.domain.audit import Action
from accounts.models import ApiToken, FormerUsername, User, new_token, usernames
from accounts.models import scopes as scope_names
from core.db import crypto
from core.errors import AccountClosed, Invalid
from core.text import names
from notifications.domain import choices
from notifications.domain.choices import Key
from notifications.models import PushDevice


def lock(person_id: int) -> User:
    """Lock the person until the transaction ends, and return the current row.

    Every function that writes what belongs to a person takes this lock first, before any other row.
    Erasure takes it too: it erases what was written before, and nothing is written after it.
    AccountClosed if the account is not active.
    """
    person = lock_kept(person_id)
    if person is None or not person.is_active:
        raise AccountClosed(_("This account is closed."))
    return person


def lock_kept(person_id: int) -> User | None:
    """Lock the person, active or deactivated. None if the account has been deleted."""
    people = User.objects.select_for_update(no_key=True)
    return people.filter(pk=person_id, deleted_at=None).first()


def vouch_for_email(*, user: User) -> None:
    """Count this person's address as verified: an operator or an invitation vouches for it."""
    EmailAddress.objects.filter(user=user).exclude(email=user.email).update(primary=False)
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def update_profile(*, user: User, **values: Any) -> User:
    """Change these fields. ValidationError for values that the model does not take.

    Invalid for a username that is reserved or taken. Invalid for a new name that looks like a link,
    because the name appears in emails to invited people. The zone of the host's weekly hours does
    not change; another function changes it.
    """
    wanted = values.get("username", user.username)
    if wanted != user.username and (problem := usernames.problem_with(wanted)):
        raise Invalid(problem, field="username")
    for name in ("first_name", "last_name"):
        new = values.get(name, "")
        if new != getattr(user, name) and (problem := names.problem_with(new)):
            raise Invalid(problem, field=name)
    for name, value in values.items():
        setattr(user, name, value)
    user.full_clean(validate_unique=False)
    try:
        with transaction.atomic():
            lock(user.pk)
            with renaming(user=user):
                user.save(update_fields=[*values, "updated_at"])
    except IntegrityError:
        if "username" not in values:
            raise
        # A check beforehand would not help: the name might still be taken in the meantime.
        raise Invalid(_("Somebody else has this username."), field="username") from None
    return user


@contextmanager
def renaming(*, user: User) -> Iterator[None]:
    """Save this person in the block. A username that they give up stays theirs for a while.

    The caller has locked the person. Invalid as in `check_username`. The name is checked after the
    new one is written, because until then its owner may have been about to give it up.
    """
    was = User.objects.values_list("username", flat=True).get(pk=user.pk)
    yield
    if user.username != was:
        check_username(user=user, wanted=user.username)
        user.former_usernames.filter(username=user.username).delete()
        FormerUsername.objects.create(user=user, username=was)


def check_username(*, user: User, wanted: str) -> None:
    """Raise Invalid for a username that is reserved for somebody else, and for too many changes.

    People may take back a name that they had.
    """
    reserved = FormerUsername.objects.reserving(wanted).first()
    if reserved is not None and reserved.user_id != user.pk:
        raise Invalid(_("Somebody else has this username."), field="username")
    if reserved is None and user.former_usernames.count() >= usernames.MOST_FORMER:
        message = _("A username can be changed %(count)d times in %(days)d days.")
        raise Invalid(message % usernames.LIMIT, field="username")


def create_token(
    *,
    user: User,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    is_limited: bool = True,
) -> tuple[ApiToken, str]:
    """Make a bearer token. Return its row and the token itself, which is shown only once.

    Invalid for unknown scopes or none. LimitReached for one usable token too many; `is_limited` is
    false for operators. Of the tokens that no longer work, the newest are kept, up to the same
    limit.
    """
    unknown = sorted(set(scopes) - set(scope_names.SCOPES))
    if unknown:
        raise Invalid(_("There is no scope %(scope)s.") % {"scope": unknown[0]}, field="scopes")
    if not scopes:
        raise Invalid(_("Choose at least one scope."), field="scopes")
    token = new_token()
    with transaction.atomic():
        lock(user.pk)
        now, own = timezone.now(), ApiToken.objects.filter(user=user)
        if is_limited:
            limits.require_room("tokens", own.usable(now))
        limits.trim(own.ended(now).order_by("-pk"), settings.LIMITS["tokens"])
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
    """Note that a token was used, at most once a minute. The audit log records its first use."""
    noted = ApiToken.objects.filter(pk=token.pk).touch(now)
    if noted and token.last_used_at is None:
        with suppress(AccountClosed), transaction.atomic():
            lock(token.user_id)
            audit.record(Action.TOKEN_USED, person=token.user, subject=str(token), now=now)


@transaction.atomic
def revoke_token(
    *, token: ApiToken, now: datetime, actor: User | None, action: Action = Action.TOKEN_REVOKED
) -> bool:
    """Revoke a token at once. Return whether it was still valid.

    `actor` is its owner, a member of staff, or None.
    """
    lock_kept(token.user_id)
    ended = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
    if ended:
        audit.record(action, person=token.user, actor=actor, subject=str(token), now=now)
    return bool(ended)


@transaction.atomic
def register_device(*, user: User, token: str, platform: str, name: str = "") -> PushDevice:
    """Register this device for push messages to this person.

    A device that another person registered becomes theirs. Beyond the limit, inactive devices are
    removed first, then those that were registered longest ago.
    """
    lock(user.pk)
    device, _created = PushDevice.objects.update_or_create(
        digest=crypto.digest(token),
        defaults={
            "user": user,
            "token": token,
            "platform": platform,
            "name": name,
            "is_active": True,
        },
    )
    in_use = user.devices.order_by("-is_active", "-updated_at", "-pk")
    limits.trim(in_use, settings.LIMITS["devices"])
    return device


@transaction.atomic
def choose_messages(*, user: User, off: Collection[Key]) -> None:
    """Switch off these messages to this person, and switch on all others."""
    lock(user.pk)
    choices.switch_off(user_id=user.pk, off=off)
