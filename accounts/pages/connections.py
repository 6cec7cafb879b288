"""Settings: applications that this person has connected."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain import applications
from accounts.models import scopes
from accounts.pages.signed_in import SignedIn
from core.errors import NotFound
from core.web.pages import page_of, signed_in_at


@require_safe
@login_required
def connections(request: SignedIn) -> HttpResponse:
    page = page_of(request, applications.connections(person=request.user, now=timezone.now()))
    rows = [{"connection": each, "scopes": scopes.in_words(each.scopes)} for each in page]
    return render(request, "accounts/connections.html", {"rows": rows, "page": page})


@require_POST
@signed_in_at("accounts:connections")
def disconnect(request: SignedIn, application_id: int) -> HttpResponse:
    try:
        name = applications.disconnect(
            person=request.user, application_id=application_id, now=timezone.now()
        )
    except NotFound as error:
        raise Http404(error.message) from error
    said = gettext("%(name)s is disconnected: it can do nothing in your name any more.")
    messages.success(request, said % {"name": name})
    return redirect("accounts:connections")
