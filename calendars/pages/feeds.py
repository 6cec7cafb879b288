"""A person's feed: the settings of its address, and what stands at that address."""

import hashlib
from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.signed_in import SignedIn, recent_sign_in
from calendars.domain import feeds, sources
from calendars.messages import icalendar
from calendars.models import Feed
from core.errors import NotFound
from core.web.pages import SAFE, action_view, limited, signed_in_at

# What the feed holds of the past, and at most of each kind.
_PAST = timedelta(days=30)
_MOST = 2_000


@csrf_exempt  # so that a POST is answered with 405, and not asked for a token
@require_safe
@limited("ip", "60/m", SAFE)
def feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """Return what stands in a person's feed, for another calendar. NotFound for a wrong token."""
    found = feeds.find(token)
    if found is None:
        raise NotFound("feed not found")
    content = _content(found)
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, no-cache"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    etag = response["ETag"] = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return get_conditional_response(request, etag=etag, response=response) or response


def _content(found: Feed) -> bytes:
    user, now = found.user, timezone.now()
    with translation.override(user.mail_language):
        pieces = (
            piece
            for _name, source in sources.named()
            for piece in source.pieces(
                user=user,
                since=now - _PAST,
                now=now,
                shows_titles=found.shows_titles,
                most=_MOST,
            )
        )
        return b"".join(icalendar.gathered(pieces, name=f"Parley ({user.name})"))


@require_POST
@signed_in_at("calendars:accounts")
@recent_sign_in("calendars:accounts")
@limited("user", "30/h", ["POST"])
def make(request: SignedIn) -> HttpResponse:
    """Make the feed, or another address for it."""
    feeds.rotate(user=request.user, now=timezone.now())
    messages.success(request, gettext("Your feed has a new address."))
    return redirect(reverse("calendars:accounts") + "#feed")


@action_view("calendars:accounts")
def show_titles(request: SignedIn) -> str:
    """Show titles in the feed, or only that time is taken."""
    shows = request.POST.get("on") == "yes"
    feeds.show_titles(user=request.user, shows=shows)
    return gettext("Your feed shows titles.") if shows else gettext("Your feed says “Busy”.")


@action_view("calendars:accounts")
def end(request: SignedIn) -> str:
    feeds.end(user=request.user)
    return gettext("Your feed has ended. Its address no longer works.")
