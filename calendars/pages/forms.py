"""Forms of the calendar settings."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from calendars.models import CalendarAccount
from core.errors import DomainError
from core.text.lines import LineFormField


def _plain(**attrs: str) -> forms.TextInput:
    """Return a field that browsers neither fill in nor correct."""
    return forms.TextInput(
        attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", **attrs}
    )


class AccountForm(forms.Form):
    """Name of an account, and what opens it. What is kept is not shown, and stays if left empty."""

    url = forms.CharField(
        label=_("Address"),
        max_length=2000,
        widget=_plain(inputmode="url", placeholder="https://"),
    )
    name = LineFormField(
        label=_("Name"),
        max_length=120,
        required=False,
        help_text=_(
            "Shown in Parley. Left empty, it is the name of the calendar or of its server."
        ),
    )
    # Fields that show nothing of what is kept.
    hidden: tuple[str, ...] = ()

    def __init__(self, *args: Any, kept: CalendarAccount | None = None, **kwargs: Any) -> None:
        if kept:
            shown = {key: text for key, text in kept.secret.items() if key not in self.hidden}
            kwargs["initial"] = {"name": kept.name, **shown}
        super().__init__(*args, **kwargs)
        if kept:
            self.fields["name"].required = True
            self.fields["name"].help_text = ""
            for name in self.hidden:
                field = self.fields[name]
                field.required = False
                field.widget.attrs["placeholder"] = _("unchanged")
                field.keeps = True  # type: ignore[attr-defined]  # its label is not "optional"

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        return url if not url or "://" in url else f"https://{url}"

    def given(self) -> dict[str, str]:
        """Return what opens the account, as far as it was entered."""
        entered = self.cleaned_data.items()
        return {name: value for name, value in entered if value and name != "name"}

    def add_refusal(self, error: DomainError | ValidationError) -> None:
        """Put the domain's refusal beside the field that it concerns."""
        if isinstance(error, ValidationError):
            for field, messages in error.message_dict.items():
                self.add_error(field if field in self.fields else None, messages)
        else:
            self.add_error(error.field if error.field in self.fields else None, error.message)


class IcsForm(AccountForm):
    """Calendar address. It is a secret itself: all who have it read the calendar."""

    hidden = ("url",)


class CalDavForm(AccountForm):
    """Account on a CalDAV server."""

    username = forms.CharField(label=_("User name"), max_length=255, widget=_plain())
    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("url", "username", "password", "name")
    hidden = ("password",)


FORMS: Mapping[str, type[AccountForm]] = {
    CalendarAccount.Provider.ICS: IcsForm,
    CalendarAccount.Provider.CALDAV: CalDavForm,
}
