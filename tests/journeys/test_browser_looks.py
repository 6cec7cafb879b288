"""Checks of pages and states outside the other journeys, in both sizes, light and dark."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Team, User
from accounts.pages.errors import too_many_requests
from core.db.outbox import OutboxState
from meetings.domain import services as meetings
from meetings.messages import links as meeting_links
from scheduling.domain import bookings, services
from scheduling.messages import links
from scheduling.models import Booking
from tests import factories
from tests.journeys.browser import Enter, Visit
from webhooks.models import Delivery, Webhook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG = "Donaudampfschifffahrtsgesellschaftskapitän"


def refuse(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def doubt(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("who are you?")


def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret reason")


urlpatterns = [
    path("wrong/400", doubt),
    path("wrong/403", refuse),
    path("wrong/429", too_many_requests, {"exception": None}),
    path("wrong/500", crash),
    path("", include("config.urls")),
]


def at_ten(days: int) -> datetime:
    """Return 10:00 UTC, `days` after the Monday of the week after next."""
    now = timezone.now()
    monday = now + timedelta(days=14 - now.weekday() + days)
    return monday.replace(hour=10, minute=0, second=0, microsecond=0)


def book_in_every_state(host: User) -> dict[str, Booking]:
    """Make one booking in each status. The past ones are long ago."""
    now, past = timezone.now(), at_ten(-28)
    chat = factories.event_type(host, name="Chat")
    advice = factories.event_type(host, name="Advice", requires_approval=True, price="50.00")
    made = {
        "upcoming": factories.booking(chat, start=at_ten(0), now=now),
        "pending": factories.booking(advice, start=at_ten(1), now=now, notes="A\nnote."),
        "completed": factories.booking(chat, start=past, now=past - DAY),
        "expired": factories.booking(advice, start=past + DAY, now=past - DAY),
        "rejected": factories.booking(advice, start=at_ten(2), now=now),
        "cancelled": factories.booking(chat, start=at_ten(3), now=now),
    }
    actor = bookings.host(host)
    bookings.reject(booking=made["rejected"], actor=actor, now=now, reason="I do not do that.")
    bookings.cancel(booking=made["cancelled"], actor=actor, now=now, reason="I am ill.\nSorry.")
    return made


# --- of everybody ---------------------------------------------------------------------------------


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("status", [400, 403, 404, 429, 500])
def test_what_goes_wrong(visit: Visit, db: None, status: int, size: str) -> None:
    visitor = visit(f"/wrong/{status}", size)
    expect(visitor.page.locator(".wrong-code")).to_have_text(str(status))
    visitor.look(f"wrong-{status}")
    visitor.refused(status)


def test_the_documents_of_the_api(visit: Visit, db: None, size: str) -> None:
    visitor = visit("/api/docs", size)
    expect(visitor.page.get_by_role("heading", name="Parley").first).to_be_visible()
    visitor.look("api-docs", checked=False)  # what it shows is Swagger's


def test_what_pages_are_made_of(enter: Enter, alice: User) -> None:
    alice.is_staff = True
    alice.save()
    visitor = enter(alice, "/components")
    visitor.unfold()
    visitor.look("components")


# --- nothing there yet, and every state -----------------------------------------------------------

BOOKING_TABS = ("upcoming", "pending", "completed", "rejected", "cancelled", "expired")
MEETING_TABS = (
    "pending-meeting",
    "confirmed",
    "sent",
    "completed",
    "rejected",
    "cancelled",
    "expired",
)
SETTINGS = {
    "profile": "/settings/profile",
    "hours": "/settings/hours",
    "dates": "/settings/hours/dates",
    "tokens": "/settings/tokens",
    "webhooks": "/settings/webhooks",
    "devices": "/settings/devices",
    "teams": "/settings/teams",
}


def test_tabs_without_anything(enter: Enter, charlie: User) -> None:
    visitor = enter(charlie)
    visitor.looks({f"bookings-empty-{tab}": f"/bookings?tab={tab}" for tab in BOOKING_TABS})
    visitor.looks({f"meetings-empty-{tab}": f"/meetings?tab={tab}" for tab in MEETING_TABS})
    visitor.looks({"ask-nobody": "/meetings/new", "ask-none-found": "/meetings/new?find=Zoe"})
    visitor.looks({"event-types-empty": "/event-types"})


def test_settings_without_anything(enter: Enter, charlie: User) -> None:
    enter(charlie).looks({f"{name}-empty": address for name, address in SETTINGS.items()})


def test_bookings_in_every_state(enter: Enter, visit: Visit, alice: User, size: str) -> None:
    made = book_in_every_state(alice)
    visitor = enter(alice)
    visitor.looks({f"bookings-{tab}": f"/bookings?tab={tab}" for tab in ("completed", "expired")})
    visitor.looks(
        {
            f"booking-{tab}": f"/bookings/{booking.pk}"
            for tab, booking in made.items()
            if tab not in ("upcoming", "cancelled")
        }
    )
    invitee = visit("/", size)
    invitee.looks(
        {
            f"invitee-{tab}": urlsplit(links.manage_url(booking)).path
            for tab, booking in made.items()
        }
    )
    invitee.looks({"approve-too-late": urlsplit(links.answer_url(made["expired"])).path})


def test_a_meeting_that_is_over(
    enter: Enter, visit: Visit, team: Team, alice: User, bob: User, size: str
) -> None:
    now = timezone.now()

    def ask(at: datetime, now: datetime) -> str:
        made = meetings.request_meeting(
            requester=alice,
            team_id=team.pk,
            recipient_id=bob.pk,
            date=at.isoformat(),
            link="",
            now=now,
        )
        if at > timezone.now():
            meetings.cancel(meeting=made, actor=alice, now=now, reason="Never mind.")
        return urlsplit(meeting_links.answer_url(made)).path

    expired, cancelled = ask(now - HOUR, now - DAY), ask(now + DAY, now)
    visit("/", size).looks({"answer-expired": expired, "answer-cancelled": cancelled})
    enter(alice).looks(
        {"meetings-expired": "/meetings?tab=expired", "team-of-two": "/meetings/new"}
    )


# --- settings -------------------------------------------------------------------------------------


def test_hours_and_dates(enter: Enter, alice: User) -> None:
    book_in_every_state(alice)
    visitor = enter(alice)
    page = visitor.page
    services.set_override(user=alice, day=at_ten(8).date(), windows=[])
    morning, evening = {"start": "07:00", "end": "11:30"}, {"start": "18:00", "end": "24:00"}
    services.set_override(user=alice, day=at_ten(9).date(), windows=[morning, evening])  # type: ignore[list-item]
    page.goto("/settings/hours")
    visitor.unfold()
    visitor.look("hours-copying")
    page.locator('input[name="start-1"]').fill("25:00")
    page.get_by_label("Time zone of your availability").fill("Atlantis")
    page.get_by_role("button", name="Save availability").last.click()
    expect(page.get_by_role("alert")).to_be_visible()
    visitor.look("hours-refused")
    page.goto("/settings/hours")
    page.locator('input[name="on-1"]').uncheck()
    page.get_by_role("button", name="Save availability").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "A booking would be outside your availability"
    )
    visitor.look("hours-outside")

    day = at_ten(9)
    page.goto(f"/settings/hours/dates?month={day:%Y-%m}&date={day:%Y-%m-%d}")
    visitor.unfold()
    visitor.look("dates-chosen")
    page.locator('input[name="end-date"]').first.fill("06:00")
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#date .errorlist")).to_be_visible()
    visitor.look("dates-refused")


def test_event_types(enter: Enter, alice: User) -> None:
    book_in_every_state(alice)
    services.update_event_type(
        event_type=factories.event_type(alice, name="Past offer"), is_active=False
    )
    asks = factories.event_type(
        alice,
        name=LONG,
        location="in_person",
        location_custom=LONG * 2,
        description=f"{LONG} and more.",  # two lines: a phone folds nothing
        price="1200.50",
        custom_fields=[
            {
                "name": "topic",
                "label": "What about?",
                "type": "text",
                "required": True,
                "options": [],
            },
            {
                "name": "size",
                "label": LONG,
                "type": "select",
                "required": False,
                "options": ["one", LONG],
            },
        ],
    )
    visitor = enter(alice)
    page = visitor.page
    page.goto("/event-types")
    visitor.unfold()
    visitor.look("event-types")
    visitor.looks({"event-type-new": "/event-types/new", "offer-long": f"/alice/{asks.slug}"})
    page.goto(f"/event-types/{asks.pk}")
    visitor.unfold()
    visitor.look("event-type")
    page.get_by_label("Name", exact=True).first.fill("")
    page.locator("form", has=page.locator("#id_price")).evaluate("form => (form.noValidate = true)")
    page.get_by_role("spinbutton", name="Price").fill("-1")
    page.get_by_role("button", name="Add a question").click()
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("alert")).to_be_visible()
    visitor.look("event-type-refused")


def test_webhooks(enter: Enter, alice: User) -> None:
    now = timezone.now()
    factories.webhook(alice, name=LONG, url=f"https://example.com/{LONG.lower()[:-4]}")
    stopped = factories.webhook(alice, name="Stopped", events=["meeting.created"])
    Webhook.objects.filter(pk=stopped.pk).update(status="inactive", disabled_reason="failing")
    hook = factories.webhook(alice, verify_ssl=False, headers={"X-Key": "secret"})
    for state, error in (
        (OutboxState.SENT, ""),
        (OutboxState.FAILED, "http_500"),
        (OutboxState.WAITING, "http_500"),
        (OutboxState.FAILED, "inactive"),
        (OutboxState.WAITING, ""),
    ):
        made = factories.delivery(hook, now=now - HOUR)
        if error.startswith("http"):
            factories.attempt(made, at=now - HOUR, status=500)
            factories.attempt(made, at=now, status=500)
        elif state == OutboxState.SENT:
            factories.attempt(made, at=now)
        Delivery.objects.filter(pk=made.pk).update(state=state, last_error=error, due_at=now + HOUR)
    visitor = enter(alice)
    page = visitor.page
    visitor.looks(
        {
            "webhooks": "/settings/webhooks",
            "webhook-stopped": f"/settings/webhooks/{stopped.pk}",
            "webhook-none-in-state": f"/settings/webhooks/{stopped.pk}?state=failed",
            "webhook-edit": f"/settings/webhooks/{hook.pk}/edit",
        }
    )
    page.goto(f"/settings/webhooks/{hook.pk}")
    visitor.unfold()
    visitor.look("webhook-log")
    page.get_by_role("button", name="Create a new secret").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The signing secret")
    visitor.look("webhook-secret")
    page.goto("/settings/webhooks/new")
    page.get_by_label("Name").first.fill("Mine")
    page.get_by_label("Address").first.fill("https://127.0.0.1/")
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    visitor.look("webhook-refused")


# --- long words, and from right to left -----------------------------------------------------------


@pytest.mark.parametrize("way", ["de", "rtl"])
def test_other_languages(enter: Enter, team: Team, alice: User, way: str) -> None:
    """German has the longest words. A right-to-left language tests the direction."""
    made = book_in_every_state(alice)
    services.set_override(user=alice, day=at_ten(8).date(), windows=[])
    hook = factories.webhook(alice)
    factories.attempt(factories.delivery(hook, now=timezone.now()), at=timezone.now(), status=500)
    visitor = enter(alice, locale="de" if way == "de" else "en-US")
    page = visitor.page
    for name, address in {
        "home": "/",
        "bookings": "/bookings",
        "booking": f"/bookings/{made['upcoming'].pk}?day=",
        "ask": "/meetings/new",
        "offer": "/alice/advice",
        "invitee": urlsplit(links.manage_url(made["pending"])).path,
        "event-types": "/event-types",
        "event-type": "/event-types/new",
        "webhook": f"/settings/webhooks/{hook.pk}",
        "team": f"/settings/teams/{team.pk}",
        **SETTINGS,
    }.items():
        page.goto(address)
        if way == "rtl":
            page.evaluate("document.documentElement.dir = 'rtl'")
        visitor.look(f"{name}-{way}")
