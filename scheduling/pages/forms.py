"""Forms of what hosts and invitees do with a booking."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class LinesField(forms.CharField):
    """A browser counts a line break as one character and sends it as two."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class StartField(forms.IntegerField):
    """A start: an epoch second."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=2**37, **options)


class ReasonForm(forms.Form):
    """A word that goes with a no."""

    reason = LinesField(required=False, max_length=500)


class SeenForm(forms.Form):
    """`sequence` is that of the booking which the sender has seen."""

    sequence = forms.IntegerField(min_value=0)


class CancelForm(ReasonForm, SeenForm):
    """Or one that declines."""


class MoveForm(CancelForm):
    """Where to. `terms` is the digest of those that the sender has seen, if they were shown."""

    terms = forms.CharField(required=False, max_length=64)
    start = StartField(error_messages={"required": _("Choose a time first, then move it there.")})


class NotesForm(forms.Form):
    notes = LinesField(
        label=_("Notes"),
        required=False,
        max_length=5000,
        help_text=_("The invitee sees them too."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
