"""Settings pages of webhooks: the list, the form and the secret."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain import limits
from accounts.pages.signed_in import SignedIn, recent_sign_in
from core.errors import DomainError
from core.web.pages import action_view, limited, page_of, signed_in_at
from webhooks.domain import services
from webhooks.domain.events import EVENTS
from webhooks.models import Webhook
from webhooks.pages.forms import WebhookForm, add_refusal, headers_formset
from webhooks.pages.one import find

# Key in the session: the webhook whose new secret its owner has not seen. Never the secret.
_UNSEEN = "webhooks.unseen_secret"


@require_safe
@login_required
def webhooks(request: SignedIn) -> HttpResponse:
    own = Webhook.objects.visible_to(request.user)
    page = page_of(request, own.with_stats(), count=own.count())
    context = {
        "part": "webhooks",
        "page": page,
        "full": limits.refusal_at("webhooks", page.paginator.count),
        "events_count": len(EVENTS),
    }
    return render(request, "webhooks/webhooks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@recent_sign_in()
@limited("user", "30/h", ["POST"])
def new_webhook(request: SignedIn) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form, headers = WebhookForm(sent), headers_formset(sent, {})
    if sent is not None and form.is_valid() and headers.is_valid():
        try:
            made = services.create(owner=request.user, headers=headers.values(), **form.values())
        except (DomainError, ValidationError) as error:
            add_refusal(form, headers, error)
        else:
            request.session[_UNSEEN] = made.pk
            return redirect("webhooks:secret", made.pk)
    full = limits.refusal("webhooks", Webhook.objects.visible_to(request.user))
    return _form(request, form, headers, full=full)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@recent_sign_in()
@limited("user", "60/h", ["POST"])
def edit(request: SignedIn, webhook_id: int) -> HttpResponse:
    found = find(request, webhook_id)
    sent = request.POST if request.method == "POST" else None
    form = WebhookForm(sent, initial=WebhookForm.values_of(found))
    headers = headers_formset(sent, found.headers)
    if sent is not None and form.is_valid() and headers.is_valid():
        try:
            services.update(
                webhook=found, now=timezone.now(), headers=headers.values(), **form.values()
            )
        except (DomainError, ValidationError) as error:
            add_refusal(form, headers, error)
        else:
            messages.success(request, gettext("%(name)s is saved.") % {"name": found.name})
            return redirect("webhooks:webhook", webhook_id)
    return _form(request, form, headers, webhook_id=webhook_id)


def _form(request: SignedIn, form: WebhookForm, headers: Any, **context: Any) -> HttpResponse:
    return render(
        request,
        "webhooks/form.html",
        {"part": "webhooks", "form": form, "headers": headers, **context},
    )


@require_safe
@login_required
@recent_sign_in()
def secret(request: SignedIn, webhook_id: int) -> HttpResponse:
    """Show a whole new secret, once, to the person who has just made it."""
    found = find(request, webhook_id)
    if request.session.get(_UNSEEN) != found.pk:
        return redirect("webhooks:webhook", webhook_id)
    if request.method == "GET":
        del request.session[_UNSEEN]
    context = {"part": "webhooks", "webhook": found, "now": timezone.now()}
    return render(request, "webhooks/secret.html", context)


@require_POST
@signed_in_at("webhooks:webhook", "webhook_id")
@recent_sign_in("webhooks:webhook", "webhook_id")
@limited("user", "30/h", ["POST"])
def rotate(request: SignedIn, webhook_id: int) -> HttpResponse:
    rotated = services.rotate_secret(webhook=find(request, webhook_id), now=timezone.now())
    request.session[_UNSEEN] = rotated.pk
    return redirect("webhooks:secret", webhook_id)


@action_view(
    "webhooks:webhook", "webhook_id", back=lambda request, webhook_id: reverse("webhooks:webhooks")
)
def delete(request: SignedIn, webhook_id: int) -> str:
    found = find(request, webhook_id)
    services.delete(webhook=found)
    return gettext("%(name)s is deleted.") % {"name": found.name}
