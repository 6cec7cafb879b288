"""Settings pages of calendars: the list, the forms of an account, and the switches."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.domain import limits
from accounts.pages.signed_in import SignedIn, recent_sign_in
from calendars.domain import accounts as services
from calendars.domain import counts, feeds
from calendars.models import Calendar, CalendarAccount, Push
from calendars.pages.cards import cards_of
from calendars.pages.forms import FORMS, AccountForm
from core.errors import DomainError
from core.web.pages import action_view, limited, page_of

_SWITCHES = ("blocks", "blocks_tentative", "blocks_all_day")
# Calendars that the choice of where to write lists.
_MOST_CHOICES = 100


@require_safe
@login_required
def accounts(request: SignedIn) -> HttpResponse:
    """Show the person's calendars, account by account, and their feed."""
    user, now = request.user, timezone.now()
    own = Calendar.objects.visible_to(user).select_related("account")
    page = page_of(request, counts.with_counts(own).order_by("account_id", "pk"))
    feed = feeds.feed_of(user)
    writable = own.filter(is_writable=True).order_by("-writes", "account_id", "pk")
    choices = list(writable[:_MOST_CHOICES]) if page.paginator.count else []
    context = {
        "part": "calendars",
        "page": page,
        "cards": cards_of(page, now),
        "full": limits.refusal_at("calendars", page.paginator.count),
        "choices": sorted(choices, key=lambda calendar: (calendar.account_id, calendar.pk)),
        "writes": any(calendar.writes for calendar in choices),
        "feed": feed,
        "feed_address": feeds.address_of(feed.token) if feed else "",
    }
    return render(request, "calendars/calendars.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@recent_sign_in()
@limited("user", "30/h", ["POST"])
def connect(request: SignedIn, provider: str) -> HttpResponse:
    """Show the form of a new account, and connect it: its server is asked at once."""
    form = FORMS[provider](request.POST if request.method == "POST" else None)
    if form.is_valid():
        name = form.cleaned_data["name"]
        try:
            secret = services.secret_of(provider=provider, **form.given())
            found = services.look(user=request.user, provider=provider, secret=secret)
            made = services.connect(
                user=request.user,
                provider=provider,
                name=name,
                secret=secret,
                found=found,
                now=timezone.now(),
            )
        except (DomainError, ValidationError) as error:
            form.add_refusal(error)
        else:
            said = gettext("%(name)s is connected. Its entries are being read.")
            messages.success(request, said % {"name": made.name})
            return redirect("calendars:accounts")
    full = limits.refusal("calendars", Calendar.objects.filter(user=request.user))
    return _form(request, form, provider, full=full)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@recent_sign_in()
@limited("user", "60/h", ["POST"])
def account(request: SignedIn, account_id: int) -> HttpResponse:
    """Show the form of an account, and change it. What opens it anew is tried at once."""
    found = _find(request, account_id)
    form = FORMS[found.provider](request.POST if request.method == "POST" else None, kept=found)
    if form.is_valid():
        name = form.cleaned_data["name"]
        try:
            secret = services.secret_with(found, form.given())
            is_other = secret != found.secret
            if is_other:
                services.look(user=request.user, provider=found.provider, secret=secret)
            changed = services.change(
                account=found, name=name, secret=secret if is_other else None, now=timezone.now()
            )
        except (DomainError, ValidationError) as error:
            form.add_refusal(error)
        else:
            messages.success(request, gettext("%(name)s is saved.") % {"name": changed.name})
            return redirect("calendars:accounts")
    return _form(request, form, found.provider, account=found)


def _form(request: SignedIn, form: AccountForm, provider: str, **context: object) -> HttpResponse:
    context |= {"part": "calendars", "form": form, "provider": provider}
    return render(request, "calendars/account.html", context)


def _find(request: SignedIn, account_id: int) -> CalendarAccount:
    return services.find(key=str(account_id), user=request.user)


@limited("user_or_ip", "30/10m", ["POST"])
@action_view("calendars:accounts")
def refresh(request: SignedIn, account_id: int) -> str:
    found = services.refresh(account=_find(request, account_id), now=timezone.now())
    return gettext("%(name)s is being read.") % {"name": found.name}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def disconnect(request: SignedIn, account_id: int) -> HttpResponse:
    """Ask whether bookings written there are deleted, and disconnect the account."""
    found = _find(request, account_id)
    if request.method == "POST":
        takes_back = "takes_back" in request.POST
        services.disconnect(account=found, takes_back=takes_back, now=timezone.now())
        messages.success(request, gettext("%(name)s is disconnected.") % {"name": found.name})
        return redirect("calendars:accounts")
    written = Push.objects.filter(calendar__account=found).exclude(href="").count()
    writes = Calendar.objects.filter(account=found, writes=True).exists()
    context = {"part": "calendars", "account": found, "written": written, "writes": writes}
    return render(request, "calendars/disconnect.html", context)


@action_view("calendars:accounts")
def switch(request: SignedIn, calendar_id: int) -> str:
    """Set one switch of a calendar. Any other name changes nothing."""
    calendar = services.find_calendar(key=str(calendar_id), user=request.user)
    name, is_on = request.POST.get("switch", ""), request.POST.get("on") == "yes"
    if name not in _SWITCHES:
        return ""
    services.change_calendar(calendar=calendar, now=timezone.now(), **{name: is_on})
    said = {"name": calendar.name}
    if name != "blocks":
        return gettext("%(name)s is saved.") % said
    if is_on:
        return gettext("%(name)s is checked for conflicts. Its entries are being read.") % said
    return gettext("%(name)s is no longer checked for conflicts.") % said


@action_view("calendars:accounts")
def write_to(request: SignedIn) -> str:
    """Choose the calendar that the person's bookings are written to, or none."""
    now, key = timezone.now(), request.POST.get("calendar", "")
    if key:
        calendar = services.find_calendar(key=key, user=request.user)
        services.change_calendar(calendar=calendar, now=now, writes=True)
        return gettext("Your bookings are added to %(name)s.") % {"name": calendar.name}
    for calendar in Calendar.objects.visible_to(request.user).filter(writes=True):
        services.change_calendar(calendar=calendar, now=now, writes=False)
    return gettext("New bookings are added to no calendar.")
