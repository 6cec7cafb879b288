"""The form with which anybody books: who they are, and the answers to the host's questions."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from scheduling.custom_fields import LONGEST_TEXT, CustomField, FieldType
from scheduling.enums import Location
from scheduling.forms import LinesField, StartField
from scheduling.models import EventType

_ANSWERS = "custom_field_values."


class BookingForm(forms.Form):
    """`start` is an epoch second. What the field `trap` is for, only machines do not see."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        help_text=_("The invitation goes there, and a link to move or cancel it."),
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
    start = StartField(widget=forms.HiddenInput)
    trap = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    def __init__(self, *args: Any, event_type: EventType, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if event_type.location != Location.PHONE_CALL:
            del self.fields["phone"]
        # Their names are the host's, and could be those of our own fields.
        self._questions = {
            f"answer-{number}": question for number, question in enumerate(event_type.custom_fields)
        }
        for name, question in self._questions.items():
            self.fields[name] = _field(question)
        self.order_fields(["name", "email", "phone", *self._questions, "notes"])

    def clean_trap(self) -> str:
        if self.cleaned_data["trap"]:
            raise forms.ValidationError(_("This must stay empty: it is how we tell machines."))
        return ""

    @property
    def asked(self) -> Iterator[forms.BoundField]:
        """What a person fills in."""
        return (field for field in self.visible_fields() if field.name != "trap")

    @property
    def answers(self) -> dict[str, Any]:
        """By the names of the questions."""
        return {
            question["name"]: self.cleaned_data[name] for name, question in self._questions.items()
        }

    def add_refusal(self, field: str, message: str) -> None:
        """Put the domain's refusal beside the field that it is about."""
        names = {_ANSWERS + question["name"]: name for name, question in self._questions.items()}
        self.add_error(names.get(field), message)


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
            return forms.EmailField(max_length=500, **options)
    is_phone = question["type"] == FieldType.PHONE
    widget = forms.TextInput(attrs={"type": "tel"} if is_phone else {})
    return forms.CharField(max_length=40 if is_phone else 500, widget=widget, **options)


class _NumberField(forms.FloatField):
    def clean(self, value: Any) -> Any:
        """A whole number stays one."""
        number = super().clean(value)
        return int(number) if number is not None and number.is_integer() else number
