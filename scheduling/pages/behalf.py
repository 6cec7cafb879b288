"""Page on which a host books for somebody: the public page's picker, and a form of its own."""

from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.pages.signed_in import SignedIn
from core.errors import Invalid, TimeTaken
from core.text import zones
from core.web.pages import SAFE, limited
from scheduling.domain import bookings, limits
from scheduling.models import EventType
from scheduling.pages.booking_form import BookingForm
from scheduling.pages.public import serve
from scheduling.pages.visitors import Visitor


class ForSomebodyForm(BookingForm):
    """Form of a booking that a host makes. Its texts are about the invitee."""

    is_for_somebody = True
    zone_of_invitee = forms.CharField(
        label=_("Invitee's time zone"),
        max_length=64,
        help_text=_("A city, or a name such as Europe/Berlin. Emails to the invitee use it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    over_calendar = forms.BooleanField(label=_("Book anyway"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {"name": _("Invitee's name"), "email": _("Invitee's email"), "notes": _("Notes")}
        for name, label in labels.items():
            self.fields[name].label = label
            self.fields[name].widget.attrs["autocomplete"] = "off"
        self.fields["notes"].help_text = _("The invitee sees them too.")
        self.order_fields(["name", "email", "zone_of_invitee", *self.fields])
        self._over_calendar = self.fields["over_calendar"]
        if "over_calendar" not in self.data:
            del self.fields["over_calendar"]

    def clean_zone_of_invitee(self) -> str:
        typed = str(self.cleaned_data["zone_of_invitee"])
        name = zones.find(typed) or typed
        zones.validate_zone(name)
        return name

    def add_refusal(self, field: str, message: str) -> None:
        """Ask about the host's own calendar only where it is in the way."""
        if field == "over_calendar":
            self.fields[field] = self._over_calendar
            self.add_error(field, message)
        else:
            super().add_refusal(field, message)


class _ForSomebody:
    """Desk at which a host books for an invitee. Nobody is asked to approve it."""

    form: type[BookingForm] = ForSomebodyForm

    def __init__(self, host: User) -> None:
        self._host = host

    def initial(self, request: HttpRequest, visitor: Visitor) -> dict[str, Any]:
        return {"zone_of_invitee": zones.in_words(visitor.zone)}

    def book(
        self,
        request: HttpRequest,
        offered: EventType,
        visitor: Visitor,
        form: BookingForm,
        *,
        start: datetime,
        seen: str,
        now: datetime,
    ) -> HttpResponse:
        said = form.cleaned_data
        invitee = form.invitee(timezone=said["zone_of_invitee"], time_format=visitor.time_format)
        admit = partial(
            limits.admit_by_host,
            host=self._host,
            email=invitee.email,
            guests=said["guests"],
            now=now,
        )
        try:
            booked = bookings.book(
                event_type=offered,
                duration=offered.duration,
                start=start,
                invitee=invitee,
                actor=bookings.host(self._host),
                now=now,
                seen=seen,
                over_calendar=said.get("over_calendar", False),
                is_approved=True,
                admit=admit,
                **form.wanted,
            )
        except TimeTaken as taken:
            if taken.reason == "calendar":
                raise Invalid(taken.message, field="over_calendar") from None
            raise
        name = {"name": booked.invitee}
        messages.success(request, gettext("Booked: %(name)s gets an email.") % name)
        return redirect("scheduling:booking", booked.pk)


@require_http_methods([*SAFE, "POST"])
@login_required
@limited("user", "60/10m", ["POST"])
def book_for(request: SignedIn, event_type_id: int) -> HttpResponse:
    """Book one of the host's own event types for somebody, in the steps of the public page."""
    offered = EventType.objects.bookable().filter(pk=event_type_id, host=request.user).first()
    if offered is None:
        raise Http404("event type not found")
    return serve(request, offered, _ForSomebody(request.user))
