"""Pages of the signed-in host's event types."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain import limits
from accounts.models import User
from accounts.pages.signed_in import SignedIn
from core.errors import Invalid, LimitReached
from core.text import money
from core.web.pages import SAFE, action_view, limited, page_of, refusals_shown, signed_in_at
from scheduling.domain import services
from scheduling.models import Booking, EventType
from scheduling.pages.event_type_forms import EventTypeForm, Questions

_LIST = "scheduling:event_types"
_LONGEST_SEARCH = 120


@dataclass(frozen=True)
class Row:
    """One event type in the list, with its terms in short texts and the address of its form."""

    event_type: EventType
    said: Sequence[str]
    url: str


@require_safe
@login_required
def event_types(request: SignedIn) -> HttpResponse:
    """List the event types in their order. `?q=` finds those with this text in their name."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:_LONGEST_SEARCH]
    own = EventType.objects.visible_to(request.user)
    page = page_of(request, own.filter(name__icontains=wanted) if wanted else own)
    context = {
        "section": "event_types",
        "page": page,
        "rows": [_row(each) for each in page],
        "wanted": wanted,
        "query": urlencode({"q": wanted} if wanted else {}),
        "is_searched": bool(wanted) or page.paginator.num_pages > 1,
        "full": "" if wanted else limits.refusal_at("event_types", page.paginator.count),
        "address": _address(request.user),
        "public": reverse("public:host", args=[request.user.username]),
    }
    return render(request, "scheduling/event_types.html", context)


def _row(each: EventType) -> Row:
    said = [
        each.duration_in_words,
        Truncator(each.location_display).chars(60),
    ]
    if each.price:
        said.append(money.in_words(each.price, each.currency))
    if each.requires_approval:
        said.append(gettext("Requires your approval"))
    return Row(each, said, reverse("scheduling:event_type", args=[each.pk]))


@require_http_methods([*SAFE, "POST"])
@login_required
@limited("user", "120/10m", ["POST"])
def new_event_type(request: SignedIn) -> HttpResponse:
    def create(values: dict[str, Any]) -> EventType:
        # The API reads times without a zone in this one: the zone of the hours.
        zone = request.user.weekly_availability.timezone
        return services.create_event_type(host=request.user, timezone=zone, **values)

    return _form(request, None, create)


@require_http_methods([*SAFE, "POST"])
@login_required
@limited("user", "120/10m", ["POST"])
def event_type(request: SignedIn, event_type_id: int) -> HttpResponse:
    found = _find(event_type_id, request.user)

    def update(values: dict[str, Any]) -> EventType:
        return services.update_event_type(event_type=found, **values)

    return _form(request, found, update)


def _form(
    request: SignedIn, found: EventType | None, save: Callable[[dict[str, Any]], EventType]
) -> HttpResponse:
    """Show the form. A POST saves it, or applies one of its buttons to the typed values."""
    if request.method != "POST":
        kept = found.custom_fields if found else []
        form = EventTypeForm(found, host=request.user)
        return _shown(request, found, form, Questions.kept(kept))
    form = EventTypeForm(found, request.POST, host=request.user)
    questions = Questions.sent(request.POST)
    act = request.POST.get("act", "save")
    if act != "save":
        questions = questions.untested()
        questions.change(act)
        return _shown(request, found, form.untested(), questions)
    if form.is_valid() and questions.are_valid():
        try:
            saved = save(form.cleaned_data | {"custom_fields": questions.values()})
        except ValidationError as error:
            form.add_errors(error)
        except (Invalid, LimitReached) as error:
            if not questions.add_refusal(error.field, error.message):
                form.add_refusal(error.field, error.message)
        else:
            messages.success(request, gettext("%(name)s is saved.") % {"name": saved.name})
            return redirect(_LIST)
    return _shown(request, found, form, questions)


def _shown(
    request: SignedIn, found: EventType | None, form: EventTypeForm, questions: Questions
) -> HttpResponse:
    own = EventType.objects.visible_to(request.user)
    context = {
        "section": "event_types",
        "event_type": found,
        "form": form,
        "questions": questions,
        "is_unsaved": request.method == "POST",
        "is_asking": request.POST.get("act", "save") != "save",
        "full": "" if found else limits.refusal("event_types", own),
        "address": _address(request.user),
        "is_booked": bool(found) and Booking.objects.filter(event_type=found).exists(),
    }
    return render(request, "scheduling/event_type.html", context)


def _address(host: User) -> str:
    """Return the URL of the host's public page, to which each event type adds its slug."""
    return settings.PUBLIC_URL + reverse("public:host", args=[host.username])


def _find(event_type_id: int, user: User) -> EventType:
    return services.find_event_type(key=str(event_type_id), user=user)


# --- what a host does with one of them ------------------------------------------------------------


def _acting(view: Callable[[EventType], str]) -> Callable[..., HttpResponseBase]:
    """Make the page of an action on an event type, which leads back to the list."""

    @action_view(_LIST)
    @wraps(view)
    def act(request: SignedIn, event_type_id: int) -> str:
        found = _find(event_type_id, request.user)
        try:
            return view(found)
        except (Invalid, ValidationError):
            # It was made elsewhere, or before the rule existed.
            message = gettext("%(name)s has an error. Open it, correct it and save it.")
            raise Invalid(message % {"name": found.name}) from None

    return act


@_acting
def move_up(found: EventType) -> str:
    services.move_event_type(event_type=found, by=-1)
    return ""


@_acting
def move_down(found: EventType) -> str:
    services.move_event_type(event_type=found, by=1)
    return ""


@require_POST
@signed_in_at(_LIST)
def duplicate(request: SignedIn, event_type_id: int) -> HttpResponseBase:
    """Copy an event type, and show the form of the copy."""
    found = _find(event_type_id, request.user)
    with refusals_shown(request):
        copy = services.duplicate_event_type(event_type=found)
        said = gettext("This is a copy of %(name)s. Switch it on in the list when it is ready.")
        messages.success(request, said % {"name": found.name})
        return redirect("scheduling:event_type", copy.pk)
    return redirect(_LIST)


@_acting
def activate(found: EventType) -> str:
    services.update_event_type(event_type=found, is_active=True)
    return gettext("%(name)s can be booked again.") % {"name": found.name}


@_acting
def deactivate(found: EventType) -> str:
    services.update_event_type(event_type=found, is_active=False)
    return gettext("%(name)s can no longer be booked. Its bookings stay as they are.") % {
        "name": found.name
    }


@_acting
def delete(found: EventType) -> str:
    name = {"name": found.name}
    if services.delete_event_type(event_type=found):
        return gettext("%(name)s is deleted.") % name
    return gettext("%(name)s has bookings, so it was deactivated instead of deleted.") % name
