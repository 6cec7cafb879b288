"""Settings: which messages reach the person, by email and by push."""

from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.domain import services
from accounts.pages.signed_in import SignedIn
from core.web.pages import limited
from notifications.domain import choices
from notifications.domain.choices import Channel


@dataclass(frozen=True)
class Switch:
    """One channel of a choice. Without a value it cannot be switched: it is always on, or off."""

    channel: Promise
    value: str
    is_on: bool


@dataclass(frozen=True)
class Row:
    name: str
    label: Promise
    switches: list[Switch]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited("user", "60/10m", ["POST"])
def notifications(request: SignedIn) -> HttpResponse:
    """Show what can be switched off. The form sends what stays on."""
    if request.method == "POST":
        on = {tuple(value.split(":", 1)) for value in request.POST.getlist("on")}
        services.choose_messages(user=request.user, off=choices.switches() - on)
        messages.success(request, gettext("Your choices have been saved."))
        return redirect("accounts:notifications")
    off = choices.switched_off(user_id=request.user.pk)
    rows = ((choice.group, _row(choice, off)) for choice in choices.known())
    groups = [
        (group, [row for _group, row in found])
        for group, found in groupby(rows, key=lambda pair: pair[0])
    ]
    context = {"groups": groups, "channels": [channel.label for channel in Channel]}
    return render(request, "accounts/notifications.html", context)


def _row(choice: choices.Choice, off: set[choices.Key]) -> Row:
    switches = []
    for channel in Channel:
        key, can_switch = (choice.name, channel.value), channel in choice.kinds
        is_on = key not in off if can_switch else channel in choice.always
        switches.append(Switch(channel.label, ":".join(key) if can_switch else "", is_on))
    return Row(choice.name, choice.label, switches)
