"""People and how to reach them."""

import hashlib
import secrets
import string
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts import scopes, usernames
from accounts.zones import validate_zone, zone_of
from config.crypto import EncryptedTextField
from config.ids import public_id
from config.outbox import OutboxRow

DATE_FORMATS = ("MM/dd/yyyy", "dd/MM/yyyy", "dd.MM.yyyy", "yyyy-MM-dd")
TIME_FORMATS = ("hh:mm a", "HH:mm")


def new_user_uuid() -> str:
    return public_id("usr")


class UserManager(BaseUserManager["User"]):
    """Makes people whose email address counts as verified: somebody in charge vouches for it."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        email = email.strip().lower()
        username = fields.pop("username", "") or self.free_username(usernames.from_email(email))
        user = self.model(email=email, username=username, **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        with transaction.atomic():
            user.save()
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def free_username(self, wanted: str) -> str:
        """`wanted`, or with the first free number behind it; the constraint has the last word."""
        stem, number = wanted, 2
        while self.filter(username=wanted).exists():
            wanted = f"{stem[: usernames.MAX_LENGTH - len(str(number)) - 1]}-{number}"
            number += 1
        return wanted

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account. Logs in by email; `username` is their public page."""

    uuid = models.CharField(max_length=30, unique=True, default=new_user_uuid, editable=False)
    email = models.EmailField(_("email address"), unique=True)
    username = models.CharField(
        _("username"),
        max_length=usernames.MAX_LENGTH,
        unique=True,
        validators=[RegexValidator(usernames.PATTERN, _("Use 2 to 30 of a-z, 0-9 and -."))],
    )
    first_name = models.CharField(_("first name"), max_length=80, blank=True)
    last_name = models.CharField(_("last name"), max_length=80, blank=True)
    avatar_url = models.URLField(_("picture"), blank=True)
    position = models.CharField(_("position"), max_length=120, blank=True)
    company = models.CharField(_("company"), max_length=120, blank=True)
    timezone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_zone]
    )
    date_format = models.CharField(
        _("date format"),
        max_length=20,
        default="MM/dd/yyyy",
        choices=[(text, text) for text in DATE_FORMATS],
    )
    time_format = models.CharField(
        _("time format"),
        max_length=20,
        default="hh:mm a",
        choices=[(text, text) for text in TIME_FORMATS],
    )
    # Empty: whatever the browser asks for.
    language = models.CharField(_("language"), max_length=5, blank=True, choices=settings.LANGUAGES)
    # ISO 8601: Monday is 1, Sunday is 7.
    week_start = models.PositiveSmallIntegerField(_("week starts on"), default=1)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
            models.CheckConstraint(condition=Q(week_start__range=(1, 7)), name="user_week_start"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """First and last name, or what stands before the @ where neither is known."""
        return f"{self.first_name} {self.last_name}".strip() or self.email.partition("@")[0]

    @property
    def zone(self) -> ZoneInfo:
        """The person's zone; UTC where the database of zones does not know theirs (any more)."""
        return zone_of(self.timezone)

    @property
    def mail_language(self) -> str:
        """In which we write to them: there is no browser to ask."""
        return self.language or "en"

    @property
    def status(self) -> str:
        return "active" if self.is_active else "inactive"

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.first_name or self.name


class TeamQuerySet(models.QuerySet["Team"]):
    def visible_to(self, user: User) -> Self:
        """The teams that a person belongs to."""
        return self.filter(memberships__user=user)


class Team(models.Model):
    """People who may ask each other for meetings."""

    name = models.CharField(_("name"), max_length=120)
    members: "models.ManyToManyField[User, Membership]" = models.ManyToManyField(
        User, through="Membership", related_name="teams"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Team"]] = TeamQuerySet.as_manager()

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's place in a team."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MANAGER = "manager", _("manager")
        MEMBER = "member", _("member")
        CLIENT = "client", _("client")

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["team", "user"],
                name="membership_once",
                violation_error_message=_("This person is already in the team."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}"


class Invitation(models.Model):
    """A place in a team that is offered to an email address; it goes when it is taken."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("email address"))
    invited_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                "team",
                Lower("email"),
                name="invitation_once",
                violation_error_message=_("This address is invited already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.email}, {self.team}"


_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
TOKEN_PREFIX = "pat_"  # noqa: S105  what every token begins with
_LAST_USE_PRECISION = timedelta(minutes=1)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _position in range(length):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits


def new_token() -> str:
    """`pat_`, 40 random base62 characters, and 6 of their CRC32, by which a scanner knows it."""
    body = "".join(secrets.choice(_BASE62) for _ in range(40))
    return f"{TOKEN_PREFIX}{body}{_base62(zlib.crc32(body.encode()), 6)}"


def checksum_holds(token: str) -> bool:
    """Whether this can be a token of ours at all, seen without a look into the database."""
    body, checksum = token[len(TOKEN_PREFIX) : -6], token[-6:]
    return (
        token.startswith(TOKEN_PREFIX)
        and token.isascii()
        and len(body) == 40
        and checksum == _base62(zlib.crc32(body.encode()), 6)
    )


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self, now: datetime) -> Self:
        """Neither revoked nor expired, and its owner still active."""
        unexpired = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(unexpired, revoked_at=None, user__is_active=True)

    def touch(self, now: datetime) -> int:
        """Note the use of these, at most once a minute each."""
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
        """Whether its last use was noted too long ago."""
        return self.last_used_at is None or self.last_used_at <= now - _LAST_USE_PRECISION

    def allows(self, scope: str) -> bool:
        return scopes.allows(self.scopes, scope)


class PushDevice(models.Model):
    """A phone or browser that Firebase can reach. One that Firebase no longer knows is inactive."""

    class Platform(models.TextChoices):
        ANDROID = "android", "Android"
        IOS = "ios", "iOS"
        WEB = "web", "Web"

    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    token = models.CharField(_("registration token"), max_length=512, unique=True)
    platform = models.CharField(_("platform"), max_length=10, choices=Platform.choices)
    name = models.CharField(_("name"), max_length=120, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("push device")
        verbose_name_plural = _("push devices")
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name or f"{self.get_platform_display()} device"


def new_message_id() -> str:
    return public_id("ntf")


class Notification(OutboxRow):
    """One message to one address: what `channel` sends, when it is due.

    `content` is JSON in the channel's own shape (see `accounts.channels`), encrypted because it
    carries links that act for whoever holds them. `topic` is the caller's name for a group of rows
    that can be withdrawn together.
    """

    # Between one attempt and the next.
    DELAYS: ClassVar[Sequence[timedelta]] = (
        timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10),
        timedelta(minutes=30), timedelta(hours=1), timedelta(hours=3), timedelta(hours=8),
        timedelta(hours=24),
    )  # fmt: skip

    class Channel(models.TextChoices):
        EMAIL = "email", _("email")
        PUSH = "push", _("push message")

    message_id = models.CharField(
        max_length=30, unique=True, default=new_message_id, editable=False
    )
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="notifications")
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    address = models.CharField(_("address"), max_length=512)
    kind = models.CharField(_("kind"), max_length=60)
    topic = models.CharField(_("topic"), max_length=120, blank=True)
    content = EncryptedTextField()

    class Meta(OutboxRow.Meta):
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ("-id",)
        indexes = [
            *OutboxRow.Meta.indexes,
            models.Index(fields=["topic"], name="notification_topic"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}"


class IdempotencyRecord(models.Model):
    """The first answer to a request that carried an Idempotency-Key, kept to be given again."""

    user = models.ForeignKey(User, models.CASCADE)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    answer = EncryptedTextField(default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "method", "path", "key"], name="idempotency_once"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
