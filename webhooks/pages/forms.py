"""Forms of the webhook settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.forms.formsets import DELETION_FIELD_NAME
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from core.errors import DomainError
from core.text.lines import LineFormField
from webhooks.domain import services
from webhooks.domain.events import BOOKING, MEETING
from webhooks.models import Webhook

_WORDS: dict[str, Promise] = {
    "booking.created": _("A booking is made, whether or not it needs approval"),
    "booking.confirmed": _("A booking is confirmed: approved, or no approval was needed"),
    "booking.rejected": _("The host declines a booking that is awaiting approval"),
    "booking.cancelled": _("A booking is cancelled"),
    "booking.rescheduled": _("A booking is rescheduled"),
    "booking.completed": _("A confirmed booking is over"),
    "booking.expired": _("Nobody approved a booking before its start"),
    "meeting.created": _("Somebody requests a meeting"),
    "meeting.confirmed": _("The other person confirms it"),
    "meeting.rejected": _("The other person declines it"),
    "meeting.cancelled": _("A meeting is cancelled"),
    "meeting.completed": _("A confirmed meeting is over"),
    "meeting.expired": _("Nobody answered in time"),
}


@dataclass(frozen=True)
class Group:
    """The events of one kind of object, and the box that stands for all of them."""

    name: str
    title: Promise
    all_of_them: Promise
    events: list[str]


GROUPS = (
    Group(
        "booking",
        _("Bookings"),
        _("Everything about bookings"),
        [f"booking.{change}" for change in BOOKING],
    ),
    Group(
        "meeting",
        _("Meetings"),
        _("Everything about meetings"),
        [f"meeting.{change}" for change in MEETING],
    ),
)


class WebhookForm(forms.Form):
    """The owner's settings of a webhook. Its headers have a formset of their own."""

    name = LineFormField(label=_("Name"), max_length=120)
    url = forms.CharField(
        label=_("Address"),
        max_length=2000,
        help_text=_("The URL that receives the events: https, on port 443 or 8443."),
        widget=forms.TextInput(
            attrs={"inputmode": "url", "placeholder": "https://", "autocomplete": "off"}
        ),
    )
    events = forms.MultipleChoiceField(choices=list(_WORDS.items()), required=False)
    # Ticked, they stand for all of their group, whatever is ticked below them.
    everything = forms.MultipleChoiceField(
        choices=[(group.name, group.title) for group in GROUPS], required=False
    )
    timeout_seconds = forms.IntegerField(
        label=_("Timeout in seconds"),
        min_value=1,
        max_value=30,
        initial=30,
        help_text=_("How long an answer may take."),
    )
    max_retries = forms.IntegerField(
        label=_("Retries"),
        min_value=0,
        max_value=9,
        initial=3,
        help_text=_("How often it is tried again, later and later each time."),
    )
    verify_ssl = forms.BooleanField(
        label=_("Check certificates"),
        required=False,
        initial=True,
        help_text=_(
            "Without this, somebody on the way can read and change what is sent. Leave it on,"
            " unless your server has a self-signed certificate."
        ),
    )
    active = forms.BooleanField(
        label=_("Active"),
        required=False,
        initial=True,
        help_text=_(
            "An inactive webhook receives nothing; its pending deliveries fail. You can resend them"
            " later."
        ),
    )

    @classmethod
    def values_of(cls, webhook: Webhook) -> dict[str, Any]:
        names = ("name", "url", "events", "timeout_seconds", "max_retries", "verify_ssl")
        values = {name: getattr(webhook, name) for name in names}
        return values | {"active": webhook.status == Webhook.Status.ACTIVE}

    def groups(self) -> list[dict[str, Any]]:
        """Return the boxes of the events, with those that are ticked."""
        ticked, whole = self["events"].value() or [], self["everything"].value() or []
        return [
            {
                "group": group,
                "is_whole": group.name in whole,
                "boxes": [(event, _WORDS[event], event in ticked) for event in group.events],
            }
            for group in GROUPS
        ]

    def values(self) -> dict[str, Any]:
        """Return the values for `services.create` and `services.update`."""
        values = dict(self.cleaned_data)
        whole = values.pop("everything")
        also = [event for group in GROUPS if group.name in whole for event in group.events]
        values["events"] = list({*values["events"], *also})
        active = values.pop("active")
        values["status"] = Webhook.Status.ACTIVE if active else Webhook.Status.INACTIVE
        return values


class HeaderForm(forms.Form):
    """A header that is sent along. A kept value is not shown, and stays unless it is replaced."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    value = forms.CharField(
        label=pgettext_lazy("of a header", "Value"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, kept: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept = kept

    @property
    def is_kept(self) -> bool:
        return self["name"].value() in self.kept

    @property
    def is_taken_out(self) -> bool:
        return bool(self.cleaned_data.get(DELETION_FIELD_NAME))

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        name, value = cleaned.get("name"), cleaned.get("value")
        if self.is_taken_out or self.errors:
            return cleaned
        if value and not name:
            self.add_error("name", _("Give it a name."))
        if name and not value:
            if name not in self.kept:
                self.add_error("value", _("Give it a value."))
            cleaned["value"] = self.kept.get(name, "")
        return cleaned


class _Headers(forms.BaseFormSet[HeaderForm]):
    def clean(self) -> None:
        names: set[str] = set()
        for form in self._filled():
            name = form.cleaned_data["name"].lower()
            if name in names:
                form.add_error("name", _("This header is there twice."))
            names.add(name)

    def values(self) -> dict[str, str]:
        return {form.cleaned_data["name"]: form.cleaned_data["value"] for form in self._filled()}

    def add_refusal(self, name: str, message: str) -> bool:
        """Put the domain's refusal beside the header of this name.

        False if there is no such header.
        """
        for form in self._filled():
            if form.cleaned_data["name"] == name:
                form.add_error(None, message)
                return True
        return False

    def _filled(self) -> list[HeaderForm]:
        stay = (form for form in self.forms if form.is_valid() and not form.is_taken_out)
        return [form for form in stay if form.cleaned_data.get("name")]


_HeaderFormSet = forms.formset_factory(
    HeaderForm, formset=_Headers, extra=2, max_num=services.MOST_HEADERS, can_delete=True
)


def headers_formset(sent: Any, kept: Mapping[str, str]) -> _Headers:
    """Return a formset of a webhook's headers, without their values, and with room for two more."""
    made = _HeaderFormSet(
        sent,
        prefix="headers",
        initial=[{"name": name} for name in kept],
        form_kwargs={"kept": kept},
    )
    return cast("_Headers", made)


def add_refusal(form: WebhookForm, headers: _Headers, error: DomainError | ValidationError) -> None:
    """Put the domain's refusal beside the field that it concerns."""
    if isinstance(error, ValidationError):
        for field, messages in error.message_dict.items():
            for message in messages:
                form.add_error(field if field in form.fields else None, message)
        return
    kind, _dot, name = error.field.partition(".")
    if kind == "headers" and headers.add_refusal(name, error.message):
        return
    form.add_error(kind if kind in form.fields else None, error.message)


class RecoverForm(forms.Form):
    """The first day whose deliveries are sent again, in the owner's zone."""

    since = forms.DateField(
        label=_("Since"),
        validators=[MinValueValidator(date(2000, 1, 1))],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def moment(self, person: User) -> datetime:
        return datetime.combine(self.cleaned_data["since"], time.min, person.zone)
