"""People, their teams, and invitations to teams."""

import secrets
from datetime import datetime
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

from accounts.models import usernames
from core.db.ids import public_id
from core.text.lines import validate_address, validate_line
from core.text.names import validate_title
from core.text.zones import validate_zone, zone_of

DELETED_PERSON = _("Deleted person")
"""What stands where a name was."""

_FEW = 20
DATE_FORMATS = ("MM/dd/yyyy", "dd/MM/yyyy", "dd.MM.yyyy", "yyyy-MM-dd")
TIME_FORMATS = ("hh:mm a", "HH:mm")


def new_user_uuid() -> str:
    return public_id("usr")


def name_of(first: str, last: str, email: str, deleted_at: datetime | None) -> str:
    """Return first and last name. If both are empty, return the part of the email before the @."""
    if deleted_at is not None:
        return str(DELETED_PERSON)
    return f"{first} {last}".strip() or email.partition("@")[0]


class UserManager(BaseUserManager["User"]):
    """Makes people whose email address counts as verified, because an operator vouches for it."""

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
        """Return `wanted`, or `wanted` with a number. The database constraint has the last word.

        The number is the lowest free one. If many people have this name, it is random, because
        strangers choose the names.
        """
        stem, number = wanted, 2
        while self._is_taken(wanted):
            wanted = f"{stem[: usernames.MAX_LENGTH - len(str(number)) - 1]}-{number}"
            number = number + 1 if number < _FEW else secrets.randbelow(10**9)
        return wanted

    def _is_taken(self, username: str) -> bool:
        """Tell whether the name is in use or reserved.

        The order matters: a name that is given up between the two queries is reserved by then.
        """
        return (
            self.filter(username=username).exists()
            or FormerUsername.objects.reserving(username).exists()
        )

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account. They sign in by email; `username` is their public page."""

    uuid = models.CharField(max_length=30, unique=True, default=new_user_uuid, editable=False)
    email = models.EmailField(_("email address"), unique=True, validators=[validate_address])
    username = models.CharField(
        _("username"),
        max_length=usernames.MAX_LENGTH,
        unique=True,
        validators=[
            RegexValidator(rf"^{usernames.PATTERN.pattern}\Z", _("Use 2 to 30 of a-z, 0-9 and -."))
        ],
    )
    first_name = models.CharField(
        _("first name"), max_length=80, blank=True, validators=[validate_line]
    )
    last_name = models.CharField(
        _("last name"), max_length=80, blank=True, validators=[validate_line]
    )
    avatar_url = models.URLField(_("picture"), blank=True)
    # Of the picture that they have uploaded, if any: pages show it without another query.
    picture_digest = models.CharField(
        max_length=32, blank=True, default="", db_default="", editable=False
    )
    position = models.CharField(
        _("position"), max_length=120, blank=True, validators=[validate_line]
    )
    company = models.CharField(_("company"), max_length=120, blank=True, validators=[validate_line])
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
    # Since when nothing is known of them: the row stays for what others' calendars hold.
    deleted_at = models.DateTimeField(_("deleted"), null=True, editable=False)
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
        return name_of(self.first_name, self.last_name, self.email, self.deleted_at)

    @property
    def zone(self) -> ZoneInfo:
        """Return the person's zone. UTC if the database of zones does not know it (any more)."""
        return zone_of(self.timezone)

    @property
    def mail_language(self) -> str:
        """Return the language of emails to this person. An email has no browser language to use."""
        return self.language or "en"

    @property
    def status(self) -> str:
        return "active" if self.is_active else "inactive"

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.first_name or self.name


class Picture(models.Model):
    """A person's picture, as Parley has drawn it anew (`accounts.domain.pictures`)."""

    user = models.OneToOneField(User, models.CASCADE, related_name="picture")
    # Of the person and the bytes: nobody can guess the address of a picture.
    digest = models.CharField(max_length=32, unique=True)
    data = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        ordering = ("id",)

    def __str__(self) -> str:
        return self.digest


class FormerUsernameQuerySet(models.QuerySet["FormerUsername"]):
    def reserving(self, username: str) -> Self:
        """Return the row that keeps this name from other people."""
        return self.filter(username__in=[username, usernames.sealed(username)])


class FormerUsername(models.Model):
    """A username that a person gave up. It leads to their present one, and nobody else can take it.

    The names of a deleted account are sealed: they lead nowhere, and nobody can read them.
    Retention ends both (`usernames.RESERVED`).
    """

    username = models.CharField(max_length=usernames.MAX_LENGTH, unique=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="former_usernames")
    given_up_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects: ClassVar[models.Manager["FormerUsername"]] = FormerUsernameQuerySet.as_manager()

    class Meta:
        verbose_name = _("former username")
        verbose_name_plural = _("former usernames")
        ordering = ("-given_up_at", "-id")

    def __str__(self) -> str:
        return self.username


class TeamQuerySet(models.QuerySet["Team"]):
    def visible_to(self, user: User) -> Self:
        """Return the teams that a person belongs to."""
        return self.filter(memberships__user=user)


class Team(models.Model):
    """People who may ask each other for meetings."""

    name = models.CharField(_("name"), max_length=120, validators=[validate_line, validate_title])
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
    """An offer of a place in a team to an email address. It is deleted when it is accepted."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("email address"), validators=[validate_address])
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
