"""Forms of the meeting pages."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from core.text.zones import in_words
from scheduling.pages.finding import FindForm
from scheduling.pages.forms import StartField

# At the westernmost inhabited place it is still the day before.
_WESTMOST = timedelta(hours=-12)


class FindMeetingForm(FindForm):
    """Search by the other person's name or the number, and filters by team and date.

    Addresses of team mates are not shown, so they are not searched. Only a person without a name is
    found by the start of theirs.
    """

    kind, kind_label, all_kinds = "team", _("Team"), _("All teams")
    searched = _("Search by name or number")

    def __init__(self, query: QueryDict, *, person: User, kinds: Iterable[tuple[int, str]]) -> None:
        super().__init__(query, zone=person.zone, kinds=kinds)
        self._person = person

    def names(self, word: str) -> Q:
        found = Q(booking_number__istartswith=word)
        for other in ("requester", "recipient"):
            name = Q(**{f"{other}__first_name__icontains": word})
            name |= Q(**{f"{other}__last_name__icontains": word})
            nameless = Q(**{f"{other}__first_name": "", f"{other}__last_name": ""})
            name |= nameless & Q(**{f"{other}__email__istartswith": word})
            found |= name & ~Q(**{other: self._person})
        return found


class AskForm(forms.Form):
    """Request for a meeting: a start, or a date and a time on the team mate's wall clock."""

    mate = forms.ChoiceField(label=_("Teammate"))
    start = StartField(required=False)
    date = forms.DateField(
        label=_("Date"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    time = forms.TimeField(
        label=_("Time"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    )
    link = forms.CharField(
        label=_("Meeting link"),
        required=False,
        help_text=_("Where you meet online, for example on Zoom, Google Meet or Teams."),
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
                ("", _("Choose a person")),
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
