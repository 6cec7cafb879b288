"""Settings: applications that this person has connected."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.domain import applications
from accounts.models import scopes
from accounts.pages.signed_in import SignedIn
from core.web.pages import action_view, page_of


@require_safe
@login_required
def connections(request: SignedIn) -> HttpResponse:
    page = page_of(request, applications.connections(person=request.user, now=timezone.now()))
    rows = [{"connection": each, "scopes": scopes.in_words(each.scopes)} for each in page]
    return render(request, "accounts/connections.html", {"rows": rows, "page": page})


@action_view("accounts:connections")
def disconnect(request: SignedIn, application_id: int) -> str:
    name = applications.disconnect(
        person=request.user, application_id=application_id, now=timezone.now()
    )
    said = gettext("%(name)s is disconnected and can no longer act for you.")
    return said % {"name": name}
