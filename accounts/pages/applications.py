"""Settings: OAuth applications that this person has made and others may connect."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from oauth2_provider.models import Application

from accounts.domain import applications as services
from accounts.domain import limits
from accounts.pages.forms import ApplicationForm
from accounts.pages.signed_in import SignedIn, recent_sign_in
from core.errors import LimitReached
from core.web.pages import action_view, limited, page_of, refusals_shown, signed_in_at


@require_safe
@login_required
def applications(request: SignedIn) -> HttpResponse:
    count = Application.objects.filter(user=request.user).count()
    page = page_of(request, services.made_by(request.user, now=timezone.now()), count=count)
    full = limits.refusal_at("applications", page.paginator.count)
    context = {"part": "applications", "page": page, "full": full}
    return render(request, "accounts/applications.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@recent_sign_in()
@limited("user", "30/h", ["POST"])
def new_application(request: SignedIn) -> HttpResponse:
    """Make an application. Only the answer to the POST shows its secret."""
    form = ApplicationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            row, secret = services.make(
                owner=request.user,
                name=form.cleaned_data["name"],
                is_public=form.cleaned_data["kind"] == "public",
                redirect_uris=form.cleaned_data["redirect_uris"],
                now=timezone.now(),
            )
        except LimitReached as error:
            form.add_error(None, error.message)
        else:
            return _made(request, row, secret)
    full = limits.refusal("applications", Application.objects.filter(user=request.user))
    context = {"part": "applications", "form": form, "full": full}
    return render(request, "accounts/application_new.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@recent_sign_in()
@limited("user", "60/h", ["POST"])
def application(request: SignedIn, application_id: int) -> HttpResponse:
    row = _find(request, application_id)
    initial = {"name": row.name, "redirect_uris": "\n".join(row.redirect_uris.split())}
    form = ApplicationForm(request.POST if request.method == "POST" else None, initial=initial)
    del form.fields["kind"]  # for good: with it, the secret comes or goes
    if form.is_valid():
        services.change(
            application=row, actor=request.user, now=timezone.now(), **form.cleaned_data
        )
        messages.success(request, gettext("The application has been changed."))
        return redirect("accounts:application", application_id)
    context = {"part": "applications", "row": row, "form": form, **_addresses()}
    return render(request, "accounts/application.html", context)


@require_POST
@signed_in_at("accounts:applications")
@recent_sign_in("accounts:application", "application_id")
@limited("user", "30/h", ["POST"])
def rotate_application(request: SignedIn, application_id: int) -> HttpResponse:
    row = _find(request, application_id)
    with refusals_shown(request):
        secret = services.rotate_secret(application=row, actor=request.user, now=timezone.now())
        return _made(request, row, secret, is_new=False)
    return redirect("accounts:application", application_id)


@action_view("accounts:applications")
def delete_application(request: SignedIn, application_id: int) -> str:
    row = _find(request, application_id)
    name = row.name
    services.delete(application=row, actor=request.user, now=timezone.now())
    return gettext("%(name)s has been deleted.") % {"name": name}


def _find(request: SignedIn, application_id: int) -> Any:
    return get_object_or_404(services.made_by(request.user, now=timezone.now()), pk=application_id)


def _made(request: SignedIn, row: Any, secret: str, *, is_new: bool = True) -> HttpResponse:
    context = {
        "part": "applications",
        "row": row,
        "secret": secret,
        "is_new": is_new,
        **_addresses(),
    }
    return render(request, "accounts/application_secret.html", context)


def _addresses() -> dict[str, str]:
    """Return the URL that the developer of an application needs: the server's metadata."""
    metadata = settings.PUBLIC_URL + reverse("oauth2_provider:oauth-server-metadata")
    return {"metadata": metadata}
