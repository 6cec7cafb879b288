"""API tokens, sessions and the audit log."""

import secrets
import string
import zlib
from datetime import datetime, timedelta
from importlib import import_module
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import scopes
from accounts.models.people import User
from core.db.crypto import EncryptedTextField
from core.text import browsers

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
TOKEN_PREFIX = "pat_"  # noqa: S105  what every token that people make begins with
# And those that programs get by OAuth: to call with, and to get the next one with.
ACCESS_PREFIX = "oat_"
REFRESH_PREFIX = "ort_"
_LAST_USE_PRECISION = timedelta(minutes=1)


# Kept in English, like all subjects, and shown in the language of the page.
_SECOND_STEPS = {
    "authenticator app": _("authenticator app"),
    "recovery codes": _("recovery codes"),
}


def _base62(number: int, length: int) -> str:
    digits = ""
    for _position in range(length):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits


def new_token(prefix: str = TOKEN_PREFIX) -> str:
    """Return a prefix, 40 random base62 characters, and 6 of their CRC32, for scanners."""
    body = "".join(secrets.choice(_BASE62) for _ in range(40))
    return f"{prefix}{body}{_base62(zlib.crc32(body.encode()), 6)}"


def checksum_holds(token: str) -> bool:
    """Tell whether this text can be one of Parley's tokens, without a query."""
    body, checksum = token[len(TOKEN_PREFIX) : -6], token[-6:]
    return (
        token.startswith((TOKEN_PREFIX, ACCESS_PREFIX, REFRESH_PREFIX))
        and token.isascii()
        and len(body) == 40
        and checksum == _base62(zlib.crc32(body.encode()), 6)
    )


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self, now: datetime) -> Self:
        """Return tokens that are neither revoked nor expired, and whose owner is active."""
        unexpired = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(unexpired, revoked_at=None, user__is_active=True)

    def ended(self, now: datetime) -> Self:
        """Return tokens that are revoked or expired."""
        return self.filter(Q(expires_at__lte=now) | Q(revoked_at__isnull=False))

    def touch(self, now: datetime) -> int:
        """Note the use of these tokens, at most once a minute each. Return how many were noted."""
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - _LAST_USE_PRECISION)
        return self.filter(stale).update(last_used_at=now)


class ApiToken(models.Model):
    """A bearer token. Only its SHA-256 is kept; the token itself is shown once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=120)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("begins with"), max_length=12, editable=False)
    scopes: "models.JSONField[list[str], list[str]]" = models.JSONField(_("scopes"), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    objects: ClassVar[models.Manager["ApiToken"]] = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    def is_use_stale(self, now: datetime) -> bool:
        """Tell whether the last use was noted more than a minute ago, or never."""
        return self.last_used_at is None or self.last_used_at <= now - _LAST_USE_PRECISION

    def allows(self, scope: str) -> bool:
        return scopes.allows(self.scopes, scope)


class Session(AbstractBaseSession):
    """A session of a browser. Only the SHA-256 of its key is kept, and its data is encrypted."""

    session_key = models.CharField(max_length=64, primary_key=True, editable=False)
    session_data = EncryptedTextField(editable=False)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    # What the browser calls itself.
    agent = models.CharField(_("browser"), max_length=300, blank=True)
    started_at = models.DateTimeField(_("signed in"), null=True)
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ("-seen_at", "session_key")

    def __str__(self) -> str:
        return self.agent or "session"

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store


class AuditEntry(models.Model):
    """An action on an account, or by staff.

    `accounts.domain.audit` writes it; nothing changes it.
    """

    class Action(models.TextChoices):
        LOGIN = "login", _("signed in")
        LOGIN_FAILED = "login_failed", _("sign-in failed")
        LOGOUT = "logout", _("signed out")
        SESSION_ENDED = "session_ended", _("session ended")
        PASSWORD_CHANGED = "password_changed", _("password changed")
        PASSWORD_RESET = "password_reset", _("password set by a mailed link")
        EMAIL_CHANGED = "email_changed", _("email address changed")
        MFA_ADDED = "mfa_added", _("second step of signing in added")
        MFA_REMOVED = "mfa_removed", _("second step of signing in removed")
        TOKEN_MADE = "token_made", _("API token made")
        TOKEN_USED = "token_used", _("API token used for the first time")
        TOKEN_REVOKED = "token_revoked", _("API token revoked")
        TOKEN_LEAKED = "token_leaked", _("leaked token revoked")
        TOKEN_REUSED = "token_reused", _("application disconnected: a used-up token came again")
        APPLICATION_MADE = "application_made", _("application made")
        APPLICATION_CHANGED = "application_changed", _("application changed")
        APPLICATION_DELETED = "application_deleted", _("application deleted")
        APPLICATION_ALLOWED = "application_allowed", _("application connected")
        # Once for each consent: with its first tokens it has all that it needs to act.
        APPLICATION_STARTED = "application_started", _("application got its first token")
        APPLICATION_REMOVED = "application_removed", _("application disconnected")
        # A team's, also one that is sent again. They are counted here.
        INVITATION_SENT = "invitation_sent", _("team invitation sent")
        DATA_EXPORTED = "data_exported", _("data exported")
        ACCOUNT_DELETED = "account_deleted", _("account deleted")
        STAFF_ADDED = "staff_added", _("added by staff")
        STAFF_CHANGED = "staff_changed", _("changed by staff")
        STAFF_DELETED = "staff_deleted", _("deleted by staff")
        STAFF_ACTED = "staff_acted", _("done by staff")

    at = models.DateTimeField(_("when"))
    action = models.CharField(_("what"), max_length=30, choices=Action.choices)
    # Whose account it concerns, if anybody's.
    person = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="audit_entries", verbose_name=_("person")
    )
    # Who did it; nobody where it came from outside or from time.
    actor = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    # In words: a token's name, an application's, what staff changed. Never a secret.
    subject = models.CharField(_("subject"), max_length=300, blank=True)
    address = models.GenericIPAddressField(_("from address"), null=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ("-at", "-id")
        indexes = [
            models.Index(fields=["person", "-at"], name="audit_of_person"),
            models.Index(fields=["at"], name="audit_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.at:%Y-%m-%d %H:%M} UTC"

    @property
    def subject_for_person(self) -> str:
        """Return the subject, with Parley's own words translated into the language of this page.

        All subjects are kept in English.
        """
        words = _SECOND_STEPS.get(self.subject)
        return str(words) if words else browsers.translated(self.subject)

    @property
    def address_for_person(self) -> str | None:
        """Return the IP address of the action, for its person. The address of staff is hidden."""
        return self.address if self.actor_id in (None, self.person_id) else None
