"""Forms for the actions of hosts and invitees on a booking."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class LinesField(forms.CharField):
    """Text of several lines. A browser counts a line break as one character and sends two."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class StartField(forms.IntegerField):
    """Start of a booking, as an epoch second."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=2**37, **options)


class ReasonForm(forms.Form):
    """Reason to decline or cancel."""

    reason = LinesField(required=False, max_length=500)


class SeenForm(forms.Form):
    """Form that carries the `sequence` of the booking that the sender has seen."""

    sequence = forms.IntegerField(min_value=0)


class CancelForm(ReasonForm, SeenForm):
    """Form that cancels or declines a booking."""


class MoveForm(CancelForm):
    """Form that moves a booking. `terms` is the digest of the terms that the sender saw, if any."""

    terms = forms.CharField(required=False, max_length=64)
    start = StartField(error_messages={"required": _("Choose a time first.")})


class NotesForm(forms.Form):
    notes = LinesField(
        label=_("Notes"),
        required=False,
        max_length=5000,
        help_text=_("The invitee sees them too."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
