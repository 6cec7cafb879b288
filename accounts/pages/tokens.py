"""Settings: API tokens."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.domain import limits, services
from accounts.models import ApiToken, scopes
from accounts.pages.forms import TokenForm
from accounts.pages.signed_in import SignedIn, ask_again, is_recent
from core.errors import LimitReached
from core.web.pages import action_view, limited, page_of


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited("user", "30/h", ["POST"])
def tokens(request: SignedIn) -> HttpResponse:
    """The person's tokens. A new one is in the answer to the POST that made it, and nowhere else.

    So that answer is a page of its own and no redirect: on the way it would have to be kept.
    """
    if request.method == "POST" and not is_recent(request):
        return ask_again(request, back=request.path)
    now, own = timezone.now(), ApiToken.objects.filter(user=request.user)
    sent = request.POST if request.method == "POST" else None
    form = TokenForm(sent, person=request.user, now=now)
    if form.is_valid():
        try:
            row, token = services.create_token(user=request.user, **form.wanted())
        except LimitReached as error:
            form.add_error(None, error.message)
        else:
            return _made(request, row, token)
    page = page_of(request, own)
    rows = [
        {"token": row, "state": _state(row, now), "scopes": scopes.in_words(row.scopes)}
        for row in page
    ]
    full = limits.refusal("tokens", own.usable(now))
    context = {"form": form, "rows": rows, "page": page, "full": full}
    return render(request, "accounts/tokens.html", context)


def _made(request: SignedIn, row: ApiToken, token: str) -> HttpResponse:
    context = {
        "row": row,
        "token": token,
        "url": f"{settings.PUBLIC_URL}/api/v1/users/me",
        "may_try": row.allows("users:read"),
    }
    return render(request, "accounts/token.html", context)


@action_view("accounts:tokens")
def revoke_token(request: SignedIn, token_id: int) -> str:
    token = get_object_or_404(request.user.tokens, pk=token_id)
    services.revoke_token(token=token, actor=request.user, now=timezone.now())
    said = gettext("%(name)s has been revoked and no longer works.")
    return said % {"name": token.name}


def _state(token: ApiToken, now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at is not None and token.expires_at <= now:
        return "expired"
    return "active"
