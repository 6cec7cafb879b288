"""Forms of the account pages."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

from allauth.account.forms import AddEmailForm as AllauthAddEmailForm
from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.account.forms import ResetPasswordKeyForm as AllauthResetPasswordKeyForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.models import EmailAddress
from allauth.core import context
from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain import account_mails, redirect_uris, services
from accounts.domain.account_mails import About
from accounts.models import Membership, Team, User, scopes, usernames
from accounts.pages.readers import reader_of
from core.text import zones
from core.text.lines import AddressFormField, LineFormField
from core.text.names import validate_name

# --- signing in and up, in our words ------------------------------------------------------------


class _Mailing:
    """A form that sends an email to its address. It refuses a mailbox that has had too many."""

    about = About.ADDRESS

    def clean_email(self) -> str:
        email = str(super().clean_email())  # type: ignore[misc]  # allauth's form has it
        now, reader = timezone.now(), reader_of(context.request)
        if problem := account_mails.refusal(email, self.about, now=now, reader=reader):
            raise forms.ValidationError(problem)
        return email


# Where a browser's session notes the account that was made in it: its number.
SIGNED_UP = "signed_up"


class SignupForm(_Mailing, AllauthSignupForm):
    """Name, email and password. The browser adds its zone, which the person can change later."""

    first_name = LineFormField(label=_("First name"), max_length=80, validators=[validate_name])
    last_name = LineFormField(
        label=_("Last name"), max_length=80, required=False, validators=[validate_name]
    )
    timezone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    field_order = ("first_name", "last_name", "email", "password1", "timezone")

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Make the account. If the address has one already, do the same work and roll it back.

        So the time of the answer does not tell which addresses have an account.
        """
        if self.account_already_exists:
            self._make_nothing(request)
        with transaction.atomic():
            made: tuple[User | None, HttpResponse | None] = super().try_save(request)
        user, _answer = made
        # Noted in both cases: a session in only one of them would show which addresses are known.
        request.session[SIGNED_UP] = user.pk if user else 0
        return made

    def _make_nothing(self, request: HttpRequest) -> None:
        email = self.cleaned_data["email"]
        self.cleaned_data["email"] = f"{uuid4().hex}@nobody.invalid"
        self.account_already_exists = False
        with transaction.atomic():
            self.save(request)
            transaction.set_rollback(True)
        self.account_already_exists = True
        self.cleaned_data["email"] = email

    def clean_timezone(self) -> str:
        return str(zones.zone_of(self.cleaned_data["timezone"]))


class JoinForm(SignupForm):
    """Sign-up of an invited person. The link in the invitation has shown whose address it is."""

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["email"]
        self.email = email

    def clean(self) -> dict[str, Any]:
        self.cleaned_data["email"] = self.email
        cleaned: dict[str, Any] = super().clean()
        return cleaned


class AddEmailForm(_Mailing, AllauthAddEmailForm):
    pass


class ChangePasswordForm(AllauthChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Current password")
        self.fields["password1"].label = _("New password")
        self.fields["password2"].label = _("Confirm new password")


def _is_opened_by(user: User, email: str) -> bool:
    """Tell whether this address may reset the password: a confirmed one, or the first one.

    A further address may be mistyped: until it is confirmed, it counts as somebody else's.
    """
    confirmed = EmailAddress.objects.filter(user=user, verified=True)
    return confirmed.filter(email__iexact=email).exists() or not confirmed.exists()


class ResetPasswordForm(_Mailing, AllauthResetPasswordForm):
    about = About.PASSWORD
    users: list[User]

    def clean_email(self) -> str:
        email = super().clean_email()
        self.users = [user for user in self.users if _is_opened_by(user, email)]
        return email

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Mail the link, unless the account is deleted at the same moment."""
        with transaction.atomic():
            found = [services.lock_kept(pk) for pk in sorted(user.pk for user in self.users)]
            self.users = [user for user in found if user]
            email: str = super().save(request, **kwargs)
        return email


class ResetPasswordKeyForm(AllauthResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = _("New password")
        self.fields["password2"].label = _("Confirm new password")


# --- settings -----------------------------------------------------------------------------------

# The formats as people know them: by what they make of the last day of a year, and of two o'clock.
DATES = {
    "MM/dd/yyyy": "12/31/2026",
    "dd/MM/yyyy": "31/12/2026",
    "dd.MM.yyyy": "31.12.2026",
    "yyyy-MM-dd": "2026-12-31",
}
TIMES = {"hh:mm a": "2:00 PM", "HH:mm": "14:00"}
_BROWSERS = "browser"


class ProfileForm(forms.Form):
    """The person's name and job, and their zone and formats of times."""

    first_name = LineFormField(label=_("First name"), max_length=80)
    last_name = LineFormField(label=_("Last name"), max_length=80, required=False)
    position = LineFormField(label=_("Position"), max_length=120, required=False)
    company = LineFormField(label=_("Company"), max_length=120, required=False)
    username = forms.CharField(
        label=_("Username"),
        max_length=usernames.MAX_LENGTH,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    timezone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        widget=forms.TextInput(
            attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=_("Type a part of its name, such as a large city in it."),
    )
    date_format = forms.ChoiceField(label=_("Date format"), choices=list(DATES.items()))
    time_format = forms.ChoiceField(label=_("Time format"), choices=list(TIMES.items()))
    week_start = forms.TypedChoiceField(
        label=_("First day of the week"),
        coerce=int,
        choices=[(number + 1, name) for number, name in WEEKDAYS.items()],
    )
    language = forms.TypedChoiceField(
        label=_("Language"),
        coerce=lambda value: "" if value == _BROWSERS else value,
        choices=[(_BROWSERS, _("Same as my browser")), *settings.LANGUAGES],
    )

    @classmethod
    def values_of(cls, user: User) -> dict[str, Any]:
        values = {name: getattr(user, name) for name in cls.base_fields}
        zone = zones.in_words(user.timezone)
        return values | {"language": user.language or _BROWSERS, "timezone": zone}

    def clean_username(self) -> str:
        name = str(self.cleaned_data["username"]).lower()
        if name != self.initial["username"] and (problem := usernames.problem_with(name)):
            raise forms.ValidationError(problem)
        return name

    def clean_timezone(self) -> str:
        """Return the IANA name of the zone: people may type a city such as new york."""
        typed = str(self.cleaned_data["timezone"])
        name = zones.find(typed) or typed
        zones.validate_zone(name)
        return name


class TokenForm(forms.Form):
    """A new token: its purpose, its scopes and its expiry."""

    name = LineFormField(
        label=_("Name"),
        max_length=120,
        help_text=_("Helps you recognise it, for example “Website” or “Calendar sync”."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Permissions"),
        choices=list(scopes.SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    expires = forms.ChoiceField(
        label=_("Expires"),
        initial="90",
        choices=[
            ("30", _("In 30 days")),
            ("90", _("In 90 days")),
            ("365", _("In a year")),
            ("date", _("On a date")),
            ("never", _("Never")),
        ],
    )
    until = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, person: User, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person, self.now = person, now
        self.fields["until"].widget.attrs["min"] = now.astimezone(person.zone).date().isoformat()

    def clean(self) -> None:
        if self.cleaned_data.get("expires") != "date" or "until" in self.errors:
            return
        until = self.cleaned_data.get("until")
        if until is None:
            self.add_error("until", gettext("Choose the last day on which it works."))
        elif until < self.now.astimezone(self.person.zone).date():
            self.add_error("until", gettext("This date is in the past. Choose a later one."))

    def wanted(self) -> dict[str, Any]:
        """Return the values for `services.create_token`."""
        return {
            "name": self.cleaned_data["name"],
            "scopes": self.cleaned_data["scopes"],
            "expires_at": self._expires_at(),
        }

    def _expires_at(self) -> datetime | None:
        """Return the moment of expiry. A date lasts until its end in the person's zone."""
        match self.cleaned_data["expires"]:
            case "never":
                return None
            case "date":
                return datetime.combine(self.cleaned_data["until"], time.max, self.person.zone)
            case days:
                return self.now + timedelta(days=int(days))


class TeamForm(forms.ModelForm[Team]):
    name = LineFormField(label=_("Name of the team"), max_length=120)

    class Meta:
        model = Team
        fields = ("name",)


class InviteForm(forms.Form):
    email = AddressFormField(
        label=_("Email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Membership.Role.choices)


class DeleteAccountForm(forms.Form):
    """Confirmation that the owner asks to delete the account, by username and password."""

    username = forms.CharField(
        label=_("Your username"),
        max_length=usernames.MAX_LENGTH,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label=_("Your password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["username"].help_text = gettext(
            "Type %(username)s, so that nothing happens by mistake."
        ) % {"username": person.username}

    def clean_username(self) -> str:
        name = str(self.cleaned_data["username"])
        if name.lower() != self.person.username:
            raise forms.ValidationError(gettext("This is not your username."))
        return name

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if not self.person.check_password(password):
            raise forms.ValidationError(gettext("This is not your password."))
        return password


class ApplicationForm(forms.Form):
    """An application of this person, which others may connect."""

    name = LineFormField(
        label=_("Name"),
        max_length=120,
        help_text=_("People see it when they are asked to connect the application."),
    )
    kind = forms.ChoiceField(
        label=_("Where it runs"),
        initial="confidential",
        choices=[
            ("confidential", _("On a server: it can keep a secret")),
            ("public", _("In a browser, on a phone or a computer: it cannot")),
        ],
        widget=forms.RadioSelect,
    )
    redirect_uris = forms.CharField(
        label=_("Redirect URIs"),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=_(
            "One per line, each in full, such as https://example.com/callback. For a program on"
            " one’s own computer http://127.0.0.1/… works too, with any port."
        ),
    )

    def clean_redirect_uris(self) -> list[str]:
        uris = list(dict.fromkeys(self.cleaned_data["redirect_uris"].split()))
        if len(uris) > redirect_uris.MOST:
            said = gettext("Give at most %(count)d addresses.")
            raise forms.ValidationError(said % {"count": redirect_uris.MOST})
        problems = [
            f"{uri[:100]}: {said}" for uri in uris if (said := redirect_uris.problem_with(uri))
        ]
        if problems:
            raise forms.ValidationError(problems)
        return uris
