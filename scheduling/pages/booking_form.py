"""Form with which anybody books: the invitee's details, and answers to the host's questions."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from core.errors import Invalid
from core.text.lines import AddressFormField, LineFormField
from core.text.names import validate_name
from scheduling.domain import guests
from scheduling.domain.bookings import Invitee
from scheduling.models import EventType
from scheduling.models.enums import Location
from scheduling.pages.forms import LinesField, StartField
from scheduling.rules.custom_fields import LONGEST_TEXT, CustomField, FieldType

_ANSWERS = "custom_field_values."
# Fields that a URL can fill in, beside the answers, and their longest values.
_PREFILLED = {"name": 200, "email": 254, "phone": 40, "guests": 3000, "notes": 5000}
_BETWEEN = re.compile(r"[,;]")
_YES = {"1", "on", "true", "yes"}


def prefill_of(query: QueryDict, questions: Sequence[CustomField] = ()) -> dict[str, str]:
    """Return the values that a URL fills in, by parameter name.

    The parameters are `?name=&email=&phone=&guests=&notes=` and `?q_<question>=`.
    """
    longest = _PREFILLED | {f"q_{question['name']}": LONGEST_TEXT for question in questions}
    given = ((name, query.get(name, "").replace("\0", "")[:most]) for name, most in longest.items())
    return {name: text for name, text in given if text}


def initial_of(prefill: Mapping[str, str], questions: Sequence[CustomField]) -> dict[str, Any]:
    """Return the filled-in values as initial data of the form."""
    values: dict[str, Any] = {name: prefill[name] for name in _PREFILLED if name in prefill}
    for number, question in enumerate(questions):
        if text := prefill.get(f"q_{question['name']}"):
            is_tick = question["type"] == FieldType.BOOLEAN
            values[f"answer-{number}"] = text.lower() in _YES if is_tick else text
    return values


class GuestsField(LinesField):
    """Email addresses as people write several: with commas, semicolons, spaces or lines between."""

    def clean(self, value: Any) -> list[str]:
        return _BETWEEN.sub(" ", super().clean(value)).split()


class TrapInput(forms.TextInput):
    """Input that is always shown empty.

    A browser extension may have filled it in, and must not lock its owner out.
    """

    def format_value(self, value: Any) -> None:
        return None


class BookingForm(forms.Form):
    """Form of a booking. `start` is an epoch second.

    People do not see the field `trap`; machines fill it in. It is shown after it was filled in,
    because a browser extension may have done that.
    """

    is_for_somebody = False
    name = LineFormField(
        label=_("Your name"),
        max_length=200,
        validators=[validate_name],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = AddressFormField(
        label=_("Email"),
        max_length=254,
        help_text=_("We send the invitation there, with a link to reschedule or cancel."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    notes = LinesField(
        label=_("Anything that helps to prepare"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    guests = GuestsField(
        label=_("Additional guests"),
        required=False,
        max_length=3000,
        help_text=_(
            "Up to 10 email addresses, separated by commas or lines. Each gets an invitation."
        ),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    start = StartField(widget=forms.HiddenInput)
    trap = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        widget=TrapInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    def __init__(self, *args: Any, event_type: EventType, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._host = event_type.host
        if event_type.location != Location.PHONE_CALL:
            del self.fields["phone"]
        # The host chooses the questions' names, and they could equal those of other fields.
        self._questions = {
            f"answer-{number}": question for number, question in enumerate(event_type.custom_fields)
        }
        for name, question in self._questions.items():
            self.fields[name] = _field(question)
        self.order_fields(["name", "email", "phone", *self._questions, "notes", "guests"])

    def clean_trap(self) -> str:
        if self.cleaned_data["trap"]:
            self.fields["trap"].widget.attrs.pop("tabindex", None)
            raise forms.ValidationError(_("Leave this empty. It protects against spam."))
        return ""

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if said.get("guests"):
            try:
                said["guests"] = guests.checked(
                    said["guests"], invitee=said.get("email", ""), host=self._host.email
                )
            except Invalid as refused:
                self.add_error("guests", refused.message)
        return said

    @property
    def asked(self) -> Iterator[forms.BoundField]:
        """Return the fields that a person fills in."""
        return (field for field in self.visible_fields() if field.name != "trap")

    @property
    def answers(self) -> dict[str, Any]:
        """Return the answers by the names of the questions."""
        return {
            question["name"]: self.cleaned_data[name] for name, question in self._questions.items()
        }

    @property
    def wanted(self) -> dict[str, Any]:
        """Return what the valid form says of the booking, as arguments of `bookings.book`."""
        said = self.cleaned_data
        return {"notes": said["notes"], "answers": self.answers, "with_guests": said["guests"]}

    def invitee(self, *, timezone: str, time_format: str, language: str = "") -> Invitee:
        """Return the invitee whom the valid form names. The others say how they read."""
        said = self.cleaned_data
        return Invitee(
            name=" ".join(said["name"].split()),
            email=said["email"],
            timezone=timezone,
            phone=said.get("phone", ""),
            language=language,
            time_format=time_format,
        )

    def add_refusal(self, field: str, message: str) -> None:
        """Show the domain's error beside the field that it concerns."""
        names = {_ANSWERS + question["name"]: name for name, question in self._questions.items()}
        names["attendee_phone"] = "phone"
        name = names.get(field)
        self.add_error(name if name in self.fields else None, message)


def _field(question: CustomField) -> forms.Field:
    options: dict[str, Any] = {"label": question["label"], "required": question["required"]}
    match FieldType(question["type"]):
        case FieldType.TEXTAREA:
            area = forms.Textarea(attrs={"rows": 3})
            return LinesField(max_length=LONGEST_TEXT, widget=area, **options)
        case FieldType.SELECT:
            choices = [("", _("Choose one")), *((each, each) for each in question["options"])]
            return forms.ChoiceField(choices=choices, **options)
        case FieldType.NUMBER:
            return _NumberField(widget=forms.NumberInput(attrs={"step": "any"}), **options)
        case FieldType.BOOLEAN:
            return forms.BooleanField(**options)
        case FieldType.EMAIL:
            return AddressFormField(max_length=500, **options)
    is_phone = question["type"] == FieldType.PHONE
    widget = forms.TextInput(attrs={"type": "tel"} if is_phone else {})
    return forms.CharField(max_length=40 if is_phone else 500, widget=widget, **options)


class _NumberField(forms.FloatField):
    def clean(self, value: Any) -> Any:
        """Return a whole number as an integer."""
        number = super().clean(value)
        return int(number) if number is not None and number.is_integer() else number
