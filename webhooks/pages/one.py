"""One webhook: how it stands, a test, and the log of what was delivered to it."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.signed_in import SignedIn
from core.errors import Conflict, NotFound
from core.web.pages import limited, ours_or, page_of, refusals_shown, signed_in_at
from webhooks.domain import services, signing
from webhooks.domain.events import EVENTS
from webhooks.models import Webhook
from webhooks.pages.answers import STATES, lines_of, outcome
from webhooks.pages.forms import RecoverForm

_PER_PAGE = 20


def find(request: SignedIn, webhook_id: int) -> Webhook:
    try:
        return services.find(key=str(webhook_id), user=request.user)
    except NotFound as error:
        raise Http404(error.message) from error


@require_safe
@login_required
def webhook(request: SignedIn, webhook_id: int) -> HttpResponse:
    """How it stands and its log; `?state=` shows those deliveries alone."""
    return _shown(request, find(request, webhook_id), RecoverForm())


def _shown(request: SignedIn, found: Webhook, recovery: RecoverForm) -> HttpResponse:
    now, wanted = timezone.now(), request.GET.get("state", "")
    state = wanted if wanted in STATES else ""
    rows = found.deliveries.order_by("-id").select_related("event").prefetch_related("tries")
    page = page_of(request, rows.filter(state=state) if state else rows, per_page=_PER_PAGE)
    in_grace = found.previous_secret_until is not None and now < found.previous_secret_until
    return render(
        request,
        "webhooks/webhook.html",
        {
            "part": "webhooks",
            "webhook": found,
            "events_count": len(EVENTS),
            "secret": signing.cut(found.secret),
            "until": found.previous_secret_until if in_grace else None,
            "states": STATES.items(),
            "state": state,
            "page": page,
            "lines": lines_of(page),
            "recovery": recovery,
            "is_active": found.status == Webhook.Status.ACTIVE,
        },
    )


# --- sending ------------------------------------------------------------------------------------


def _acting(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """A POST of the person who has signed in; whoever has not comes to the webhook's page."""

    @require_POST
    @signed_in_at("webhooks:webhook", "webhook_id")
    @wraps(view)
    def act(request: SignedIn, webhook_id: int, **which: int) -> HttpResponse:
        return view(request, find(request, webhook_id), **which)

    return act


@limited("user_or_ip", "20/10m", ["POST"])
@_acting
def test(request: SignedIn, found: Webhook) -> HttpResponse:
    """Send one at once, and say what was answered: not more than a status, and how fast."""
    with refusals_shown(request, _unsent):
        _delivery, attempt = services.send_test(webhook=found, now=timezone.now())
        said = {"outcome": outcome(attempt), "ms": attempt.response_time_ms}
        if attempt.succeeded:
            messages.success(request, gettext("The test arrived: %(outcome)s in %(ms)s ms.") % said)
        else:
            failed = gettext("The test was not taken: %(outcome)s, after %(ms)s ms.") % said
            messages.error(request, failed)
    return redirect("webhooks:webhook", found.pk)


@limited("user_or_ip", "120/10m", ["POST"])
@_acting
def redeliver(request: SignedIn, found: Webhook, delivery_id: int) -> HttpResponse:
    try:
        delivery = services.find_delivery(webhook=found, key=str(delivery_id))
    except NotFound as error:
        raise Http404(error.message) from error
    with refusals_shown(request, _unsent):
        services.redeliver(found=delivery, now=timezone.now())
        messages.success(request, gettext("It is on its way again."))
    page = reverse("webhooks:webhook", args=[found.pk])
    return redirect(ours_or(page, request, request.POST.get("next", "")))


@limited("user_or_ip", "20/10m", ["POST"])
@_acting
def recover(request: SignedIn, found: Webhook) -> HttpResponse:
    form = RecoverForm(request.POST)
    if not form.is_valid():
        return _shown(request, found, form)
    with refusals_shown(request, _unsent):
        since = form.moment(request.user)
        count = services.recover(webhook=found, since=since, now=timezone.now())
        said = ngettext(
            "%(count)s delivery is on its way again.",
            "%(count)s deliveries are on their way again.",
            count,
        )
        nothing = gettext("Nothing to send again: all since then has arrived, or waits.")
        messages.success(request, said % {"count": count} if count else nothing)
    return redirect("webhooks:webhook", found.pk)


def _unsent(error: Conflict) -> str:
    """Why nothing was sent, to whoever wanted it sent."""
    if error.reason == "inactive":
        return gettext("This webhook is inactive. Make it active first.")
    if error.reason == "limit":
        return error.message
    return gettext("This delivery is on its way already.")
