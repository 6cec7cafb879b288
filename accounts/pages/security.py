"""Settings: where this person is signed in, and what has happened to their account."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.domain import sessions
from accounts.pages.signed_in import SignedIn
from core.people import access as lasting_access
from core.text import browsers
from core.web.pages import action_view, page_of


@require_safe
@login_required
def security(request: SignedIn) -> HttpResponse:
    user = request.user
    browsers_page = page_of(request, sessions.of(user, now=timezone.now()), name="browsers")
    places = [
        {
            "session": row,
            "browser": browsers.in_words(row.agent),
            "is_current": sessions.is_current(row, request),
        }
        for row in browsers_page
    ]
    places.sort(key=lambda place: not place["is_current"])
    context = {
        "browsers": browsers_page,
        "places": places,
        "page": page_of(request, user.audit_entries.select_related("actor")),
    }
    return render(request, "accounts/security.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def access(request: SignedIn) -> HttpResponse:
    """Show the access that needs no password; a POST ends all of it."""
    now, person_id = timezone.now(), request.user.pk
    if request.method == "POST":
        lasting_access.end_all(person_id=person_id, now=now)
        messages.success(
            request, gettext("All access has ended. Your email addresses and your password stay.")
        )
        return redirect("accounts:access")
    lasting = lasting_access.lasting(person_id=person_id, now=now)
    can_end = any(each.is_ended for each in lasting)
    return render(request, "accounts/access.html", {"lasting": lasting, "can_end": can_end})


@action_view("accounts:security")
def end_session(request: SignedIn, session_id: str) -> str:
    # No database is asked for what can be none: PostgreSQL would refuse to look for a NUL.
    rows = sessions.of(request.user, now=timezone.now())
    key = session_id if session_id.isalnum() else ""
    session = get_object_or_404(rows, pk=key)
    sessions.end(session=session, actor=request.user, now=timezone.now())
    said = gettext("%(browser)s has been signed out.")
    return said % {"browser": browsers.in_words(session.agent)}


@action_view("accounts:security")
def end_other_sessions(request: SignedIn) -> str:
    count = sessions.end_others(user=request.user, request=request, now=timezone.now())
    said = ngettext(
        "%(count)d other browser has been signed out.",
        "%(count)d other browsers have been signed out.",
        count,
    )
    return said % {"count": count}
