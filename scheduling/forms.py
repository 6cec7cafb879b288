"""Forms of the pages behind the links in emails."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class _ReasonField(forms.CharField):
    """A browser counts a line break as one character and sends it as two."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class ReasonForm(forms.Form):
    """A word that goes with a no."""

    reason = _ReasonField(required=False, max_length=500)


class CancelForm(ReasonForm):
    """`sequence` is that of the booking which the sender has seen."""

    sequence = forms.IntegerField(min_value=0)


class MoveForm(CancelForm):
    """`start` is an epoch second."""

    start = forms.IntegerField(
        min_value=0,
        max_value=2**37,
        error_messages={"required": _("Choose a time first, then move it there.")},
    )
