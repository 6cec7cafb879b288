"""The page of one webhook: its state, a test, and the log of its deliveries."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.signed_in import SignedIn
from core.errors import Conflict
from core.web.pages import action_view, limited, page_of, refusals_shown, signed_in_at
from webhooks.domain import services, signing
from webhooks.domain.events import EVENTS
from webhooks.models import Webhook
from webhooks.pages.answers import STATES, lines_of, outcome
from webhooks.pages.forms import RecoverForm

_PER_PAGE = 20


def find(request: SignedIn, webhook_id: int) -> Webhook:
    return services.find(key=str(webhook_id), user=request.user)


@require_safe
@login_required
def webhook(request: SignedIn, webhook_id: int) -> HttpResponse:
    """Show its state and its log. `?state=` shows only the deliveries in that state."""
    return _shown(request, find(request, webhook_id), RecoverForm())


def _shown(request: SignedIn, found: Webhook, recovery: RecoverForm) -> HttpResponse:
    now, wanted = timezone.now(), request.GET.get("state", "")
    state = wanted if wanted in STATES else ""
    rows = found.deliveries.order_by("-id").select_related("event").prefetch_related("attempt_rows")
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


def _unsent(error: Conflict) -> str:
    """Say why nothing was sent."""
    if error.reason == "inactive":
        return gettext("This webhook is inactive. Make it active first.")
    if error.reason == "limit":
        return error.message
    return gettext("This delivery is on its way already.")


@limited("user_or_ip", "20/10m", ["POST"])
@action_view("webhooks:webhook", "webhook_id", words=_unsent)
def test(request: SignedIn, webhook_id: int) -> str:
    """Send one at once, and report the answer: its status and how long it took, no more."""
    _delivery, attempt = services.send_test(webhook=find(request, webhook_id), now=timezone.now())
    said = {"outcome": outcome(attempt), "ms": attempt.response_time_ms}
    if attempt.succeeded:
        return gettext("The test arrived: %(outcome)s in %(ms)s ms.") % said
    failed = gettext("The test failed: %(outcome)s, after %(ms)s ms.") % said
    messages.error(request, failed)
    return ""


@limited("user_or_ip", "120/10m", ["POST"])
@action_view("webhooks:webhook", "webhook_id", words=_unsent)
def redeliver(request: SignedIn, webhook_id: int, delivery_id: int) -> str:
    found = find(request, webhook_id)
    delivery = services.find_delivery(webhook=found, key=str(delivery_id))
    services.redeliver(found=delivery, now=timezone.now())
    return gettext("It is on its way again.")


@limited("user_or_ip", "20/10m", ["POST"])
@require_POST
@signed_in_at("webhooks:webhook", "webhook_id")
def recover(request: SignedIn, webhook_id: int) -> HttpResponse:
    """Send again all that failed since a date. Show the page again if it is no date."""
    found, form = find(request, webhook_id), RecoverForm(request.POST)
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
        nothing = gettext(
            "Nothing to resend: all deliveries since then have arrived or are waiting."
        )
        messages.success(request, said % {"count": count} if count else nothing)
    return redirect("webhooks:webhook", found.pk)
