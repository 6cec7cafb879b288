"""Staff pages in Chromium: the product's look in both schemes and sizes, and the way back."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Team, User
from tests import factories
from tests.journeys.browser import SCHEMES, SIZES, WCAG, Enter, Visitor, faults_of
from tests.journeys.test_browser_looks import at_ten

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]


@pytest.fixture
def root(alice: User) -> User:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    return alice


def look(visitor: Visitor, name: str) -> None:
    """Look at both sizes, each in a scheme. Django's markup keeps WCAG, and not every custom."""
    visitor.look(name, checked=False)
    for size, scheme in SCHEMES.items():
        visitor.page.set_viewport_size(SIZES[size])
        visitor.page.emulate_media(color_scheme=scheme)
        assert faults_of(visitor.page, WCAG) == [], (name, size, scheme)
    visitor.page.emulate_media(color_scheme=visitor.scheme)
    visitor.page.set_viewport_size(SIZES[visitor.size])


def test_staff_look_things_up_and_go_back(enter: Enter, team: Team, root: User, bob: User) -> None:
    booked = factories.booking(factories.event_type(bob), start=at_ten(2), now=timezone.now())
    visitor = enter(root, "/admin/")
    page = visitor.page
    look(visitor, "staff")
    for name, address in {
        "staff-bookings": "/admin/scheduling/booking/",
        "staff-booking": f"/admin/scheduling/booking/{booked.pk}/change/",
        "staff-people": "/admin/accounts/user/",
        "staff-person": f"/admin/accounts/user/{bob.pk}/change/",
        "staff-person-new": "/admin/accounts/user/add/",
        "staff-team": f"/admin/accounts/team/{team.pk}/change/",
        "staff-log": "/admin/accounts/auditentry/",
    }.items():
        page.goto(address)
        look(visitor, name)
    page.goto(f"/admin/scheduling/booking/{booked.pk}/change/")
    start = f"{booked.start:%-d %b %Y, %H:%M} UTC"
    expect(page.get_by_role("main")).to_contain_text(start)
    page.get_by_role("link", name="Back to Parley").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alice")


def test_they_follow_the_scheme_of_the_system(enter: Enter, root: User) -> None:
    page = enter(root, "/admin/").page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(ground)
    page.goto("/")
    assert (light, dark) == ("rgb(244, 242, 238)", page.evaluate(ground))
