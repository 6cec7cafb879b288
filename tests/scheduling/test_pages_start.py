"""First page of a new person: hours in words, and the address to share."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from scheduling.domain import arrivals, services
from scheduling.domain.services import DayChange
from scheduling.models import EventType
from scheduling.rules.hours import WindowText
from tests import factories
from tests.pages import NOW, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/start"


@pytest.fixture
def page_of_bob(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def window(start: str, end: str) -> WindowText:
    return WindowText(start=start, end=end)


def test_it_is_for_the_signed_in(client: Client) -> None:
    assert client.get(PAGE).headers["Location"] == f"/accounts/login/?next={PAGE}"


def test_it_says_the_hours_and_gives_the_address(page_of_bob: Client, bob: User) -> None:
    made = factories.event_type(bob, name="Intro call")
    page = page_of_bob.get(PAGE)
    assert words(page) == (
        "These are your hours Monday – Friday 9:00 AM – 5:00 PM"
        " Time zone: UTC, where it is 9:00 AM now. Change hours"
        " This is your link Share it. Anyone who has it can book a time with you, without an"
        f" account: Intro call. Edit the event type {settings.PUBLIC_URL}/bob Copy link Preview"
        " QR code Download as SVG Download as PNG Go to your home page"
    )
    for address in (
        "/settings/hours",
        f"/event-types/{made.pk}",
        "/bob",
        "/bob/qr.svg",
        "/bob/qr.png",
        "/",
    ):
        assert f'href="{address}"' in main(page)


def test_days_are_together_where_their_hours_are(page_of_bob: Client, bob: User) -> None:
    broken = [window("08:00", "12:00"), window("13:00", "24:00")]
    off, early = DayChange(enabled=False), DayChange(enabled=True, windows=broken)
    services.set_hours(user=bob, days={"2": off, "6": early, "7": early}, timezone="Asia/Tokyo")
    days = page_of_bob.get(PAGE).context["days"]
    assert [(each.first, each.last) for each in days] == [
        ("Monday", "Monday"),
        ("Wednesday", "Friday"),
        ("Saturday", "Sunday"),
    ]
    assert days[2].windows == ["8:00 AM – 12:00 PM", "1:00 PM – 12:00 AM"]
    assert "Time zone: Asia/Tokyo, where it is 6:00 PM now." in words(page_of_bob.get(PAGE))


def test_they_follow_the_week_and_the_clock_of_the_reader(page_of_bob: Client, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(week_start=7, time_format="HH:mm")
    services.set_hours(user=bob, days={"7": DayChange(enabled=True)})
    [days] = page_of_bob.get(PAGE).context["days"]
    assert (days.first, days.last, days.windows) == ("Sunday", "Friday", ["09:00 – 17:00"])


def test_without_hours_or_event_types_it_says_so(page_of_bob: Client, bob: User) -> None:
    off = DayChange(enabled=False)
    services.set_hours(user=bob, days={str(number): off for number in range(1, 6)})
    factories.event_type(bob, is_active=False)
    said = words(page_of_bob.get(PAGE))
    assert "No day of the week has hours: nobody can book you." in said
    assert "It shows your active event types. There is none yet. New event type" in said


# --- the first event type -------------------------------------------------------------------------


def test_the_first_event_type_is_half_an_hour_online_in_the_zone_of_the_hours(bob: User) -> None:
    services.set_hours(user=bob, days={}, timezone="Asia/Tokyo")
    arrivals.arrive(person_id=bob.pk, now=NOW)
    made = EventType.objects.get(host=bob)
    assert (made.name, made.slug, made.duration) == ("30-minute meeting", "30-minute-meeting", 30)
    assert (made.location, made.location_custom, made.link_later) == ("custom", "Online", True)
    assert (made.timezone, made.is_active) == ("Asia/Tokyo", True)


def test_its_page_can_be_booked_at_once(client: Client, bob: User) -> None:
    arrivals.arrive(person_id=bob.pk, now=NOW)
    assert "30-minute meeting" in words(client.get("/bob"))
    page = client.get(reverse("public:event_type", args=["bob", "30-minute-meeting"]))
    assert page.status_code == 200
    assert 'name="start"' in main(page)


def test_who_offers_something_already_gets_nothing_more(bob: User) -> None:
    factories.event_type(bob, is_active=False)
    arrivals.arrive(person_id=bob.pk, now=NOW)
    assert EventType.objects.filter(host=bob).count() == 1


def test_people_who_are_made_otherwise_start_without_one() -> None:
    made = User.objects.create_user("staff-made@example.com")
    assert not made.event_types.exists()
