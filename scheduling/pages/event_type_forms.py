"""Forms of an event type: its terms, and its questions for the invitee."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.text import times
from core.text.lines import LineFormField
from scheduling.models import EventType, Schedule, every_day, usual_reminders
from scheduling.models.enums import ONLINE, PaymentMethod, Weekday
from scheduling.pages.forms import LinesField
from scheduling.rules import custom_fields
from scheduling.rules.custom_fields import CustomField, FieldType

MOST_QUESTIONS = 50

_TYPES = {
    FieldType.TEXT: _("Short text"),
    FieldType.TEXTAREA: _("Long text"),
    FieldType.SELECT: _("Choice from a list"),
    FieldType.NUMBER: pgettext_lazy("what is asked for", "Number"),
    FieldType.BOOLEAN: _("Checkbox"),
    FieldType.EMAIL: _("Email address"),
    FieldType.PHONE: _("Phone number"),
}


_REMINDERS = (15, 30, 60, 120, 1440, 2880, 10080)
_CANCELLATION_NOTICES = (60, 120, 240, 720, 1440, 2880, 10080)


_CHIPS = (15, 30, 45, 60)
_USUAL_DURATION = 30
_DURATIONS = (15, 30, 45, 60, 90, 120)
# Fields of the sections that are folded until one of their values needs another look.
_SECTIONS = {
    "when": (
        "durations",
        "schedule",
        "available_days",
        "min_advance_booking",
        "max_advance_booking",
        "slot_interval",
    ),
    "limits": (
        "buffer_time_before",
        "buffer_time_after",
        "daily_limit",
        "weekly_limit",
        "cancellation_notice",
    ),
    "after": ("reminders", "redirect_url"),
    "look": ("description", "price", "currency", "payment_method", "color", "slug"),
}


class ChipsOrNumber(forms.NumberInput):
    """Number by one of several radio buttons, or typed beside the last of them, `other`."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value = data.get(name)
        return data.get(f"{name}_other") if value == "other" else value


class EventTypeForm(forms.ModelForm[EventType]):
    """Form of all values of an event type except its questions. Services save it."""

    description = LinesField(
        label=_("Description"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "Shown on the booking page: what it is about, how to prepare. **Bold**, *emphasis*,"
            " links and lists work."
        ),
    )
    location_link = forms.CharField(
        label=_("Link to join"),
        required=False,
        help_text=_(
            "For Zoom, Meet and the like. Invitees see it once their booking is confirmed."
        ),
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
    )
    link_later = forms.BooleanField(
        label=_("The link follows later"),
        required=False,
        help_text=_("For online meetings, give the link, or say that it follows later."),
    )
    payment_method = forms.ChoiceField(
        label=_("Payment"),
        required=False,
        choices=[("", _("Not specified")), *PaymentMethod.choices],
    )

    class Meta:
        model = EventType
        fields = (
            "name",
            "slug",
            "description",
            "color",
            "duration",
            "durations",
            "location",
            "location_custom",
            "location_link",
            "requires_approval",
            "confirm_email",
            "buffer_time_before",
            "buffer_time_after",
            "min_advance_booking",
            "max_advance_booking",
            "schedule",
            "available_days",
            "slot_interval",
            "daily_limit",
            "weekly_limit",
            "cancellation_notice",
            "reminders",
            "price",
            "currency",
            "payment_method",
            "redirect_url",
            "is_hidden",
        )
        widgets = {
            "duration": ChipsOrNumber,
            "color": forms.TextInput(attrs={"type": "color"}),
            "currency": forms.TextInput(attrs={"autocapitalize": "characters"}),
            "redirect_url": forms.URLInput(
                attrs={"placeholder": "https://", "autocomplete": "off"}
            ),
        }
        labels = {
            "name": _("Name"),
            "slug": _("Address"),
            "color": _("Colour"),
            "duration": _("Duration"),
            "location": _("Location"),
            "location_custom": _("Location details"),
            "requires_approval": _("I approve each booking before it is confirmed"),
            "confirm_email": _("Invitees confirm their email address first"),
            "buffer_time_before": _("Buffer before, in minutes"),
            "buffer_time_after": _("Buffer after, in minutes"),
            "min_advance_booking": _("Minimum notice in hours"),
            "max_advance_booking": _("Booking window in days"),
            "slot_interval": _("Start times every … minutes"),
            "daily_limit": _("Maximum bookings per day"),
            "price": _("Price"),
            "currency": _("Currency"),
            "weekly_limit": _("Maximum bookings per week"),
            "redirect_url": _("Page after booking"),
            "is_hidden": _("Hide it from my public page"),
        }
        help_texts = {
            "name": _("The name that your invitees see, such as “Intro call”."),
            "location_custom": _("Your invitees see it with the booking."),
            "requires_approval": _("The time is kept free while you decide."),
            "confirm_email": _("They get a link. The time is held for them for 15 minutes."),
            "min_advance_booking": _("How long before the start people can still book."),
            "max_advance_booking": _("How far ahead people can book."),
            "slot_interval": _("Left empty, start times follow the duration and the buffers."),
            "daily_limit": _("Left empty, there is no limit."),
            "price": _("Left empty, it is free. Parley shows the price and takes no payment."),
            "currency": _("Its code, such as EUR."),
            "weekly_limit": _("From Monday to Sunday. Leave it empty for no limit."),
            "redirect_url": _(
                "An https URL where invitees go once they have booked. Left empty, Parley shows"
                " them their booking."
            ),
            "is_hidden": _("Only people with its link can find it."),
        }

    def __init__(
        self,
        event_type: EventType | None,
        data: QueryDict | None = None,
        *,
        host: User,
        initial: dict[str, Any] | None = None,
    ) -> None:
        # A copy, so that the page still shows the saved values.
        super().__init__(data, instance=copy(event_type), initial=initial)
        self._event_type, self._host = event_type, host
        self._offer_schedules()
        week = [(day.value, day.label) for day in Weekday.week(host.week_start)]
        self.fields["available_days"] = forms.TypedMultipleChoiceField(
            label=_("Days"),
            coerce=int,
            choices=week,
            initial=every_day,
            widget=forms.CheckboxSelectMultiple,
            error_messages={"required": _("Choose at least one day.")},
        )
        lengths = event_type.durations if event_type else []
        self.fields["durations"] = forms.TypedMultipleChoiceField(
            label=_("Other durations to choose from"),
            required=False,
            coerce=int,
            choices=[(minutes, _length(minutes)) for minutes in sorted({*_DURATIONS, *lengths})],
            widget=forms.CheckboxSelectMultiple,
            help_text=_("Invitees choose one. The duration above is chosen for them at first."),
        )
        notice = event_type.cancellation_notice if event_type else 0
        self.fields["cancellation_notice"] = forms.TypedChoiceField(
            label=_("Invitees can reschedule or cancel"),
            required=False,
            coerce=int,
            choices=[
                (0, _("Until it is over")),
                *(
                    (minutes, gettext("Until %(time)s before") % {"time": _length(minutes)})
                    for minutes in sorted({*_CANCELLATION_NOTICES, notice} - {0})
                ),
            ],
            initial=0,
            empty_value=str(notice),
            help_text=_("You can at any time."),
        )
        kept = event_type.reminders if event_type else []
        self.fields["reminders"] = forms.TypedMultipleChoiceField(
            label=_("Reminders"),
            required=False,
            coerce=int,
            choices=[(minutes, _length(minutes)) for minutes in sorted({*_REMINDERS, *kept})],
            initial=usual_reminders,
            widget=forms.CheckboxSelectMultiple,
            help_text=_("By email to you and to your invitee, this long before the start."),
        )
        self.fields["slug"].required = event_type is not None
        self.fields["duration"].initial = _USUAL_DURATION
        self.fields["link_later"].initial = event_type is None or event_type.link_later

    def _offer_schedules(self) -> None:
        """Let a host with several schedules choose. The only schedule is the default."""
        own = Schedule.objects.visible_to(self._host)
        if own.count() < 2:
            del self.fields["schedule"]
            return
        default = {"name": self._host.weekly_availability.default.name}
        self.fields["schedule"] = forms.ModelChoiceField(
            own,
            label=_("Schedule"),
            required=False,
            empty_label=gettext("Your default: %(name)s") % default,
            help_text=_("The weekly hours within which it can be booked."),
        )

    def clean(self) -> dict[str, Any]:
        """Leave a link out where people do not meet by one.

        A link that is given takes the place of the box that said that it follows.
        """
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("location_link") and "link_later" not in self.changed_data:
            cleaned["link_later"] = False
        if cleaned.get("location") not in ONLINE:
            cleaned |= {"location_link": "", "link_later": False}
        return cleaned

    @property
    def chips(self) -> list[tuple[int, bool]]:
        """Return the usual durations in minutes, and whether each is chosen."""
        return [(minutes, str(self["duration"].value()) == str(minutes)) for minutes in _CHIPS]

    @property
    def has_other_duration(self) -> bool:
        return not any(is_chosen for _minutes, is_chosen in self.chips)

    @property
    def unfolded(self) -> set[str]:
        """Return the sections that have errors."""
        return {name for name, fields in _SECTIONS.items() if self.errors.keys() & set(fields)}

    def clean_available_days(self) -> list[int]:
        return sorted(self.cleaned_data["available_days"])

    def clean_cancellation_notice(self) -> int:
        return int(self.cleaned_data["cancellation_notice"])

    def clean_reminders(self) -> list[int]:
        return sorted(self.cleaned_data["reminders"], reverse=True)

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"]
        return currency.upper()

    def untested(self) -> "EventTypeForm":
        """Return a form with the typed values and without error messages."""
        typed = {name: self[name].value() for name in self.fields}
        return EventTypeForm(self._event_type, host=self._host, initial=typed)

    def add_refusal(self, field: str, message: str) -> None:
        """Show the domain's error beside the field that it concerns."""
        self.add_error(field if field in self.fields else None, message)

    def add_errors(self, error: ValidationError) -> None:
        """Show the model's errors beside their fields."""
        for field, messages in error.message_dict.items():
            for message in messages:
                self.add_refusal(field, message)


def _length(minutes: int) -> str:
    return times.length(timedelta(minutes=minutes))


class QuestionForm(forms.Form):
    """Form of one question. A question without a name gets one made from its label."""

    label = LineFormField(label=_("Question"), max_length=200)
    type = forms.ChoiceField(label=_("Answer type"), choices=[*_TYPES.items()])
    required = forms.BooleanField(label=_("An answer is required"), required=False)
    options = LinesField(
        label=_("Choices"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One per line, for a choice from a list."),
    )
    name = forms.RegexField(
        r"^[a-z][a-z0-9_]{0,59}\Z",
        label=_("Name in the API"),
        required=False,
        help_text=_(
            "Left empty, it is made from the question. The API shows answers under this name."
        ),
        error_messages={"invalid": _("Use a-z, 0-9 and _, and begin with a letter.")},
    )

    def clean_options(self) -> list[str]:
        options = [line.strip() for line in self.cleaned_data["options"].split("\n")]
        options = list(dict.fromkeys(option for option in options if option))
        if len(options) > 100 or any(len(option) > 200 for option in options):
            raise ValidationError(_("Give at most 100 choices of at most 200 characters."))
        return options

    def untested(self) -> "QuestionForm":
        typed = {name: self[name].value() for name in self.fields}
        return QuestionForm(initial=typed, prefix=self.prefix)


@dataclass
class Questions:
    """Questions in their order, each with a key that joins its inputs."""

    forms: Sequence[tuple[str, QuestionForm]]

    @classmethod
    def kept(cls, questions: Sequence[CustomField]) -> "Questions":
        return cls(
            [
                _new(str(number), {**question, "options": "\n".join(question["options"])})
                for number, question in enumerate(questions)
            ]
        )

    @classmethod
    def sent(cls, data: QueryDict) -> "Questions":
        """Read the questions in the order of the hidden inputs that hold their keys."""
        keys = [key for key in data.getlist("question") if key.isdecimal() and len(key) <= 4]
        keys = list(dict.fromkeys(keys))[:MOST_QUESTIONS]
        return cls([(key, QuestionForm(data, prefix=_prefix(key))) for key in keys])

    @property
    def are_full(self) -> bool:
        return len(self.forms) >= MOST_QUESTIONS

    @property
    def errors(self) -> bool:
        return any(form.errors for _key, form in self.forms)

    @property
    def blank(self) -> QuestionForm:
        """Return an empty form for the script that adds a question."""
        return QuestionForm(prefix=_prefix("__key__"))

    def change(self, act: str) -> None:
        """Apply a button: `add-question`, `remove-0`, `up-0` or `down-0`. Ignore anything else."""
        what, _dash, key = act.partition("-")
        rows, keys = list(self.forms), [key for key, _form in self.forms]
        if what == "add" and not self.are_full:
            unused = max((int(key) for key in keys), default=-1) + 1
            rows.append(_new(str(unused), {}))
        elif key in keys:
            place = keys.index(key)
            row = rows.pop(place)
            if what == "up":
                rows.insert(max(place - 1, 0), row)
            elif what == "down":
                rows.insert(place + 1, row)
            elif what != "remove":
                rows.insert(place, row)
        self.forms = rows

    def untested(self) -> "Questions":
        return Questions([(key, form.untested()) for key, form in self.forms])

    def are_valid(self) -> bool:
        return all(form.is_valid() for _key, form in self.forms)

    def values(self) -> list[CustomField]:
        """Return the questions in the form that services take."""
        taken = {form.cleaned_data["name"] for _key, form in self.forms}
        found: list[CustomField] = []
        for _key, form in self.forms:
            values = form.cleaned_data
            name = values["name"] or custom_fields.name_from(values["label"], taken)
            taken.add(name)
            is_choice = values["type"] == FieldType.SELECT
            found.append(
                CustomField(
                    name=name,
                    label=values["label"],
                    type=values["type"],
                    required=values["required"],
                    options=values["options"] if is_choice else [],
                )
            )
        return found

    def add_refusal(self, path: str, message: str) -> bool:
        """Show an error, such as for `custom_fields.0.name`, in its place.

        Return False if it has none.
        """
        field, _dot, rest = path.partition(".")
        number, _dot, name = rest.partition(".")
        if field != "custom_fields" or not number.isdecimal() or int(number) >= len(self.forms):
            return False
        form = self.forms[int(number)][1]
        form.add_error(name if name in form.fields else None, message)
        return True


def _prefix(key: str) -> str:
    return f"question-{key}"


def _new(key: str, values: dict[str, Any]) -> tuple[str, QuestionForm]:
    return key, QuestionForm(initial=values, prefix=_prefix(key))
