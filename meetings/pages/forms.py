"""Forms of the meeting pages."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from core.text.zones import in_words

# By the clock of the last inhabited place it is still the day before.
_WESTMOST = timedelta(hours=-12)


class MateSelect(forms.Select):
    """Each option also carries the person's zone, for the script that translates the time."""

    def __init__(self, zones: Mapping[str, str]) -> None:
        super().__init__()
        self.zones = zones

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if zone := self.zones.get(str(value)):
            option["attrs"] |= {"data-zone": zone, "data-zone-name": in_words(zone)}
        return option


class AskForm(forms.Form):
    """Whom, when, and where to click. The date and the time are the team mate's wall clock."""

    mate = forms.ChoiceField(label=_("Team mate"))
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

    # The fields of the domain, and those of this form in which a person would look for the mistake.
    _FIELDS = {"date": "date", "link": "link"}

    def __init__(
        self, *args: Any, teams: Sequence[tuple[Team, list[User]]], now: datetime, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        zones = {
            _key(team, person): str(person.zone) for team, people in teams for person in people
        }
        self.fields["mate"] = forms.ChoiceField(
            label=self.fields["mate"].label,
            widget=MateSelect(zones),
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

    def request(self) -> dict[str, Any]:
        """What was asked for, as `services.request_meeting` takes it."""
        team_id, recipient_id = self.cleaned_data["mate"].split(":")
        date, time = self.cleaned_data["date"], self.cleaned_data["time"]
        return {
            "team_id": int(team_id),
            "recipient_id": int(recipient_id),
            "date": f"{date.isoformat()} {time:%H:%M:%S}",
            "link": self.cleaned_data["link"],
        }

    def add_refusal(self, field: str, message: str) -> None:
        """Put the domain's refusal beside the field that it is about."""
        self.add_error(self._FIELDS.get(field, "mate"), message)


def _key(team: Team, person: User) -> str:
    return f"{team.pk}:{person.pk}"
