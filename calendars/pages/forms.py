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
        help_text=_("How you tell it apart here. Empty: the name that the calendar has."),
    )
    # Fields that show nothing of what is kept.
    hidden: tuple[str, ...] = ()

    def __init__(self, *args: Any, kept: CalendarAccount | None = None, **kwargs: Any) -> None:
        self._kept: Mapping[str, str] = kept.secret if kept else {}
        if kept:
            shown = {key: text for key, text in self._kept.items() if key not in self.hidden}
            kwargs["initial"] = {"name": kept.name, **shown}
        super().__init__(*args, **kwargs)
        if kept:
            self.fields["name"].required = True
            self.fields["name"].help_text = ""
            for name in self.hidden:
                self.fields[name].required = False
                self.fields[name].widget.attrs["placeholder"] = _("unchanged")

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        return url if not url or "://" in url else f"https://{url}"

    def secret(self) -> dict[str, str]:
        """Return what opens the account from now on."""
        names = [name for name in self.fields if name != "name"]
        return {name: self.cleaned_data[name] or self._kept.get(name, "") for name in names}

    @property
    def is_other(self) -> bool:
        """Return whether something else opens the account than what is kept."""
        return self.secret() != self._kept

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

    username = forms.CharField(label=_("User name"), max_length=254, widget=_plain())
    password = forms.CharField(
        label=_("Password"),
        max_length=500,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("url", "username", "password", "name")
    hidden = ("password",)

    def clean(self) -> dict[str, Any]:
        """Require the password again for another server or user: the kept one is not theirs."""
        cleaned = self.cleaned_data
        if not self._kept or cleaned.get("password"):
            return cleaned
        if any(cleaned.get(name) != self._kept[name] for name in ("url", "username")):
            self.add_error("password", _("Enter the password of this account."))
        return cleaned


FORMS: Mapping[str, type[AccountForm]] = {
    CalendarAccount.Provider.ICS: IcsForm,
    CalendarAccount.Provider.CALDAV: CalDavForm,
}
