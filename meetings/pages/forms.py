"""Forms of the meeting pages."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from core.text.zones import in_words
from scheduling.pages.forms import StartField

# At the westernmost inhabited place it is still the day before.
_WESTMOST = timedelta(hours=-12)


class AskForm(forms.Form):
    """Request for a meeting: a start, or a date and a time on the team mate's wall clock."""

    mate = forms.ChoiceField(label=_("Team mate"))
    start = StartField(required=False)
    date = forms.DateField(
        label=_("Date"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    time = forms.TimeField(
        label=_("Time"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    link = forms.CharField(
        label=_("Link to the meeting"),
        required=False,
        help_text=_("Where you will meet, if it is online: Zoom, Meet, Teams or any other."),
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
    )

    # The domain's fields, and the fields of this form beside which their errors belong.
    _FIELDS = {"date": "date", "link": "link"}

    def __init__(
        self, *args: Any, teams: Sequence[tuple[Team, list[User]]], now: datetime, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mate"] = forms.ChoiceField(
            label=self.fields["mate"].label,
            widget=forms.Select(attrs={"data-pick": ""}),
            choices=[
                ("", _("Choose somebody")),
                *(
                    (
                        team.name,
                        [(_key(team, one), f"{one.name} ({in_words(one.zone)})") for one in people],
                    )
                    for team, people in teams
                ),
            ],
        )
        earliest = (now.astimezone(UTC) + _WESTMOST).date()
        self.fields["date"].widget.attrs["min"] = earliest.isoformat()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("start") is not None:  # it needs no date and no time
            for name in ("date", "time"):
                self.errors.pop(name, None)
        return values

    @property
    def date_written(self) -> str:
        """Return the date as `services.request_meeting` reads it."""
        start = self.cleaned_data["start"]
        if start is not None:
            return datetime.fromtimestamp(start, UTC).isoformat()
        return f"{self.cleaned_data['date'].isoformat()} {self.cleaned_data['time']:%H:%M:%S}"

    @property
    def has_time(self) -> bool:
        """Tell whether nothing is wrong with the person and the time."""
        return not {"mate", "start", "date", "time"} & set(self.errors)

    def request(self) -> dict[str, Any]:
        """Return the arguments of `services.request_meeting` that the person entered."""
        team_id, recipient_id = self.cleaned_data["mate"].split(":")
        return {
            "team_id": int(team_id),
            "recipient_id": int(recipient_id),
            "date": self.date_written,
            "link": self.cleaned_data["link"],
        }

    def add_refusal(self, field: str, message: str) -> None:
        """Show the domain's error beside the field that it concerns."""
        self.add_error(self._FIELDS.get(field, "mate"), message)


def _key(team: Team, person: User) -> str:
    return f"{team.pk}:{person.pk}"
