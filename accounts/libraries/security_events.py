"""Signal receivers that record sign-ins and account changes in the audit log.

The libraries report these events only by signals.
"""

from contextlib import suppress
from typing import Any

from allauth.account import signals as account
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as django
from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone, translation

from accounts.domain import audit, services, sessions
from accounts.domain.audit import Action
from accounts.models import User
from core.errors import AccountClosed
from core.text import browsers

_SECOND_STEPS = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


def _own(action: Action, user: User, subject: str = "") -> None:
    """Record what a person did to their own account, unless it was closed meanwhile."""
    with suppress(AccountClosed), transaction.atomic():
        services.lock(user.pk)
        audit.record(action, person=user, actor=user, subject=subject, now=timezone.now())


@receiver(django.user_logged_in)
def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    sessions.begin(request, user=user, now=timezone.now())
    with translation.override("en"):
        _own(Action.LOGIN, user, browsers.in_words(request.session["agent"]))


@receiver(django.user_login_failed)
def _sign_in_failed(credentials: dict[str, Any], **_: Any) -> None:
    """Record a failed sign-in, without the typed text: it may be a password in the wrong field.

    allauth asks for no password once its limits are reached. So a flood of attempts writes only as
    many entries as those limits let through.
    """
    email = str(credentials.get("email", "")).strip().lower()
    confirmed = Q(emailaddress__email=email, emailaddress__verified=True)
    person = User.objects.filter(Q(email=email) | confirmed).first() if email else None
    _failed(person)


@receiver(mfa.authentication_failed)
def _second_step_failed(user: User, authenticator: Authenticator, **_: Any) -> None:
    _failed(user, _SECOND_STEPS.get(authenticator.type, ""))


def _failed(person: User | None, subject: str = "") -> None:
    """Record the failed attempt. A deleted account is not named."""
    with transaction.atomic():
        kept = services.lock_kept(person.pk) if person else None
        audit.record(Action.LOGIN_FAILED, person=kept, subject=subject, now=timezone.now())


@receiver(django.user_logged_out)
def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        _own(Action.LOGOUT, user)


@receiver(account.password_set)
@receiver(account.password_changed)
def _password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    _own(Action.PASSWORD_CHANGED, user)
    sessions.end_others(user=user, request=request, now=timezone.now())


@receiver(account.password_reset)
def _password_reset(request: HttpRequest, user: User, **_: Any) -> None:
    _own(Action.PASSWORD_RESET, user)
    sessions.end_others(user=user, request=request, now=timezone.now())


@receiver(account.email_changed)
def _email_changed(
    user: User, from_email_address: EmailAddress | None, to_email_address: EmailAddress, **_: Any
) -> None:
    old = from_email_address and from_email_address.email
    _own(Action.EMAIL_CHANGED, user, " → ".join(filter(None, (old, to_email_address.email))))


@receiver(account.email_confirmed)
def _email_confirmed(email_address: EmailAddress, **_: Any) -> None:
    """Record another address that can sign in.

    The first one belongs to the account from the start.
    """
    if not email_address.primary:
        _own(Action.EMAIL_CHANGED, email_address.user, f"+ {email_address.email}")


@receiver(account.email_added)
def _email_added(request: HttpRequest, user: User, email_address: EmailAddress, **_: Any) -> None:
    """Tell the main address that another address is about to give access to the account."""
    about = {"added_email": email_address.email}
    get_adapter(request).send_notification_mail("account/email/email_added", user, about)


@receiver(account.email_removed)
def _email_removed(request: HttpRequest, user: User, email_address: EmailAddress, **_: Any) -> None:
    """Tell the removed address too: a thief of the account may control the main one."""
    _own(Action.EMAIL_CHANGED, user, f"− {email_address.email}")
    if email_address.verified:
        about = {"deleted_email": email_address.email}
        get_adapter(request).send_notification_mail(
            "account/email/email_deleted", user, about, email=email_address.email
        )


@receiver(mfa.authenticator_added)
@receiver(mfa.authenticator_reset)
def _second_step_added(user: User, authenticator: Authenticator, **_: Any) -> None:
    _own(Action.MFA_ADDED, user, _SECOND_STEPS.get(authenticator.type, ""))


@receiver(mfa.authenticator_removed)
def _second_step_removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    _own(Action.MFA_REMOVED, user, _SECOND_STEPS.get(authenticator.type, ""))
