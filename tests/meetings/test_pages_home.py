"""Home page: an introduction for strangers; upcoming and pending items for signed-in people."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from calendars.domain import ledger
from calendars.models import CalendarAccount
from calendars.rules.expansion import ShownAs
from meetings.domain import services
from scheduling.domain import bookings
from scheduling.domain import services as hosts
from scheduling.models import Booking, DateOverride, EventType
from tests import factories
from tests.pages import NOW, START, Ask, everything, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def meeting_type(bob: User) -> EventType:
    return factories.event_type(bob, name="Interview")


@pytest.fixture
def approved(bob: User) -> EventType:
    return factories.event_type(bob, name="Strategy", requires_approval=True)


def book(of: EventType, start: datetime = START) -> Booking:
    return factories.booking(of, start=start, now=NOW)


def home(client: Client, person: User, query: str = "") -> str:
    client.force_login(person)
    return words(client.get(f"/{query}"))


def part(page: str, begin: str, end: str) -> str:
    return page.partition(begin)[2].partition(end)[0].strip()


def days(page: str) -> list[str]:
    """Return the list of days as a screen reader reads it."""
    items = page.split('<li class="day')[1:]
    texts = [re.sub(r"<[^>]*aria-hidden=\"true\">.*?</(?:span|div)>", " ", one) for one in items]
    texts[-1] = texts[-1].partition('<ul class="week-legend')[0]
    plain = [re.sub(r"<[^>]*>", " ", one.partition(">")[2]) for one in texts]
    return [" ".join(one.split()) for one in plain]


# --- strangers -----------------------------------------------------------------------------------


def test_a_stranger_reads_what_there_is_and_can_sign_in_and_up(client: Client) -> None:
    page = client.get("/")
    said = words(page)
    assert page.status_code == 200
    for what in (
        "A calm place to find an hour.",
        "Your booking page",
        "Requests between teammates",
        "An API for your programs",
    ):
        assert what in said
    for address in ("/accounts/login/", "/accounts/signup/", "/api/docs"):
        assert f'href="{address}"'.encode() in page.content
    assert b'<meta name="description"' in page.content


# --- signed in -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "greeting"),
    [
        ("UTC", "Good morning, Bob Monday, 2 March 2026 9:00 AM UTC"),
        ("Asia/Kathmandu", "Good afternoon, Bob Monday, 2 March 2026 2:45 PM Asia/Kathmandu"),
        ("Pacific/Kiritimati", "Good evening, Bob Monday, 2 March 2026 11:00 PM"),
        ("Pacific/Pago_Pago", "Good evening, Bob Sunday, 1 March 2026 10:00 PM"),
    ],
)
def test_the_greeting_tells_the_date_the_time_and_the_zone(
    client: Client, bob: User, zone: str, greeting: str
) -> None:
    bob.timezone = zone
    bob.save()
    assert home(client, bob).startswith(greeting)


def test_what_is_next_is_bookings_and_meetings_by_time(
    client: Client, bob: User, meeting_type: EventType, ask: Ask
) -> None:
    later, soon = book(meeting_type, START + DAY), ask(link="https://zoom.us/j/1")
    services.confirm(meeting=soon, actor=bob, now=NOW)
    client.force_login(bob)
    page = client.get("/")
    assert [one.url for one in page.context["ahead"]] == [
        f"/meetings/{soon.pk}",
        f"/bookings/{later.pk}",
    ]
    said = part(words(page), "Upcoming", "The next seven days")
    for what in (
        "Meeting with Alice Ames Wednesday, 4 March 2026, 10:00 AM – 11:00 AM Join Meeting",
        "Interview with John Doe Thursday, 5 March 2026, 10:00 AM – 10:30 AM Zoom Call",
    ):
        assert what in said


def test_what_is_next_is_the_next_five_without_what_is_over_waits_or_was_called_off(
    client: Client, bob: User, meeting_type: EventType, approved: EventType, ask: Ask
) -> None:
    booked = [book(meeting_type, START + n * HOUR) for n in range(7)]
    for gone in booked[:2]:
        bookings.cancel(booking=gone, actor=bookings.host(bob), now=NOW)
    book(approved, START + DAY)
    ask(start=NOW + HOUR)
    over = ask(start=NOW - 2 * HOUR, now=NOW - DAY)
    services.confirm(meeting=over, actor=bob, now=NOW - DAY)
    client.force_login(bob)
    ahead = client.get("/").context["ahead"]
    assert [one.url for one in ahead] == [f"/bookings/{one.pk}" for one in booked[2:7]]


def test_what_is_under_way_is_marked(client: Client, bob: User, ask: Ask) -> None:
    services.confirm(meeting=ask(start=NOW - HOUR / 2, now=NOW - DAY), actor=bob, now=NOW - DAY)
    assert "Meeting with Alice Ames Now" in home(client, bob)


def test_the_header_shares_the_public_page(client: Client, bob: User) -> None:
    client.force_login(bob)
    header = client.get("/").content.decode().partition("<header")[2].partition("</header>")[0]
    assert "Share</summary>" in header
    assert f'<code id="share" dir="ltr">{settings.PUBLIC_URL}/bob</code>' in header


def test_what_starts_soon_says_how_soon_and_has_its_colour(
    client: Client, bob: User, meeting_type: EventType
) -> None:
    EventType.objects.filter(pk=meeting_type.pk).update(color="#AA3300")
    book(meeting_type, NOW + DAY + HOUR)
    book(meeting_type, NOW + 3 * HOUR)
    client.force_login(bob)
    page = client.get("/")
    assert [(one.color, one.lead) for one in page.context["ahead"]] == [
        ("#AA3300", ["in 3 hours"]),
        ("#AA3300", []),
    ]
    assert main(page).count('fill="#AA3300"') == 4  # and once each in the days


def test_what_waits_can_be_answered_right_there(
    client: Client, bob: User, approved: EventType, ask: Ask
) -> None:
    booking, request = book(approved, START + DAY), ask()
    client.force_login(bob)
    page = main(client.get("/?week=2026-03-09"))
    doors = set(re.findall(r'<form [^>]*action="([^"]*)"', page))
    assert doors == {
        f"/bookings/{booking.pk}/confirm",
        f"/bookings/{booking.pk}/reject",
        f"/meetings/{request.pk}/confirm",
        f"/meetings/{request.pk}/reject",
    }
    assert page.count('name="next" value="/?week=2026-03-09"') == 4
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))

    answered = client.post(f"/meetings/{request.pk}/confirm", {"next": "/"}, follow=True)
    assert [address for address, _status in answered.redirect_chain] == ["/"]
    assert words(answered).startswith("Confirmed. The time is blocked for you and Alice Ames.")
    sent = {"next": "/", "sequence": booking.sequence}
    answered = client.post(f"/bookings/{booking.pk}/confirm", sent, follow=True)
    assert [address for address, _status in answered.redirect_chain] == ["/"]
    assert [one.url for one in answered.context["ahead"]] == [
        f"/meetings/{request.pk}",
        f"/bookings/{booking.pk}",
    ]
    assert "Nothing right now." in words(answered)


def test_a_request_that_collides_says_so(client: Client, bob: User, ask: Ask) -> None:
    services.confirm(meeting=ask(), actor=bob, now=NOW)
    ask(start=START + HOUR / 2)
    assert "You already have something at that time." in home(client, bob)


def test_the_first_five_of_both_need_an_answer_and_the_rest_is_a_link_away(
    client: Client, bob: User, approved: EventType, ask: Ask
) -> None:
    """Bookings and requests stand in one list, by their start."""
    asked = [ask(start=START + HOUR), ask(start=START + 3 * HOUR)]
    booked = [book(approved, START + n * HOUR) for n in (0, 2, 4)]
    client.force_login(bob)
    page = client.get("/")
    both = [booked[0], asked[0], booked[1], asked[1], booked[2]]
    assert [getattr(one, "booking", None) or one.meeting for one in page.context["inbox"]] == both
    assert "More" not in part(words(page), "Needs your answer", "Upcoming")
    ask(start=START + DAY + 6 * HOUR)
    page = client.get("/")
    assert [getattr(one, "booking", None) or one.meeting for one in page.context["inbox"]] == both
    assert "Needs your answer More requests" in words(page)
    book(approved, START + 6 * HOUR)
    assert "Needs your answer More bookings More requests" in home(client, bob)


def test_a_stranger_finds_nothing_of_theirs(
    client: Client, charlie: User, approved: EventType, meeting_type: EventType, ask: Ask
) -> None:
    book(approved, START)
    book(meeting_type, START + DAY)
    ask()
    client.force_login(charlie)
    page = client.get("/")
    assert (page.context["ahead"], page.context["inbox"]) == ([], [])
    assert [day.entries for day in page.context["week"].days] == [[]] * 7


# --- being set up --------------------------------------------------------------------------------


def test_a_new_account_learns_what_to_do_and_gets_its_link(client: Client, bob: User) -> None:
    client.force_login(bob)
    link = f"{settings.PUBLIC_URL}/bob Copy link Preview"
    said = words(client.get("/"))
    assert "One step until you can be booked" in said
    assert link not in said
    made = factories.event_type(bob)
    said = words(client.get("/"))
    assert "You can be booked Share this link." in said
    assert link in said
    book(made)
    said = words(client.get("/"))
    assert "You can be booked" not in said
    assert f"UTC {settings.PUBLIC_URL}/bob Copy link Needs your answer" in said


# --- the week ------------------------------------------------------------------------------------


def test_the_week_reads_as_a_list_of_days(
    client: Client, bob: User, meeting_type: EventType, approved: EventType, ask: Ask
) -> None:
    book(meeting_type, START)
    book(approved, START + DAY)
    services.confirm(meeting=ask(start=START + 2 * HOUR), actor=bob, now=NOW)
    ask(start=START + 2 * DAY)
    ledger.claim(user=bob, start=NOW + 4 * DAY, end=NOW + 4 * DAY + HOUR)
    DateOverride.objects.create(user=bob, date=NOW.date() + DAY)
    DateOverride.objects.create(user=bob, date=NOW.date() + 6 * DAY, windows=[[600, 660]])
    client.force_login(bob)
    hours = "9:00 AM – 5:00 PM"
    assert days(main(client.get("/"))) == [
        f"Monday, 2 March Today {hours} Nothing",
        "Tuesday, 3 March Day off",
        f"Wednesday, 4 March {hours} 10:00 AM – 10:30 AM John Doe Interview"
        " 12:00 PM – 1:00 PM Alice Ames Meeting",
        f"Thursday, 5 March {hours} 10:00 AM – 10:30 AM John Doe Strategy not confirmed yet",
        f"Friday, 6 March {hours} 9:00 AM – 10:00 AM Taken"
        " 10:00 AM – 11:00 AM Alice Ames Meeting not confirmed yet",
        "Saturday, 7 March No working hours",
        "Sunday, 8 March Date-specific hours 10:00 AM – 11:00 AM Nothing",
    ]


def test_the_week_shows_what_closes_time_in_the_own_calendars(client: Client, bob: User) -> None:
    own = factories.read_calendar(bob)
    day = NOW.replace(hour=0)
    factories.entry(own, start=START, end=START + HOUR)
    factories.entry(own, start=START + DAY, end=START + DAY + HOUR, title="")
    choir: dict[str, Any] = {"title": "Choir", "shown_as": ShownAs.TENTATIVE}
    factories.entry(own, start=START + 2 * DAY, end=START + 2 * DAY + HOUR, **choir)
    factories.entry(own, start=START, end=START + HOUR, title="F", shown_as=ShownAs.FREE)
    away: dict[str, Any] = {"title": "Away", "is_all_day": True}
    factories.entry(own, start=day + 5 * DAY, end=day + 7 * DAY, **away)
    factories.entry(factories.read_calendar(factories.user("eve")), start=NOW, end=NOW + HOUR)
    client.force_login(bob)
    hours = "9:00 AM – 5:00 PM"
    page = client.get("/")
    assert days(main(page)) == [
        f"Monday, 2 March Today {hours} Nothing",
        f"Tuesday, 3 March {hours} Nothing",
        f"Wednesday, 4 March {hours} 10:00 AM – 11:00 AM Dentist Own",
        f"Thursday, 5 March {hours} 10:00 AM – 11:00 AM Busy Own",
        f"Friday, 6 March {hours} 10:00 AM – 11:00 AM Choir Own tentative",
        "Saturday, 7 March No working hours All day Away Own",
        "Sunday, 8 March No working hours All day Away Own",
    ]
    assert "In your own calendars" in words(page)
    # A whole day needs no more of the clock.
    assert [minute // 60 for minute, _block in page.context["week"].scale] == [*range(9, 17)]


def test_the_week_has_the_hours_of_every_schedule_in_use(
    client: Client, bob: User, meeting_type: EventType
) -> None:
    evenings = hosts.create_schedule(
        user=bob, name="Evenings", days={"1": {"windows": [{"start": "18:00", "end": "21:00"}]}}
    )
    client.force_login(bob)

    def monday() -> list[str]:
        day = client.get("/").context["week"].days[0]
        return [f"{start:%H:%M}-{end:%H:%M}" for start, end in day.hours]

    assert monday() == ["09:00-17:00"]
    hosts.update_event_type(event_type=meeting_type, schedule=evenings)
    assert monday() == ["09:00-17:00", "18:00-21:00"]


def test_a_calendar_that_cannot_be_read_is_said(client: Client, bob: User) -> None:
    own = factories.read_calendar(bob, name="Private")
    client.force_login(bob)
    sentence = (
        "Your calendar Private has not been readable since Mon 03/02/2026, 8:00 AM. Times from its"
        " last reading stay blocked, but newer entries are not known. See how to fix it Private"
    )
    assert sentence not in words(client.get("/"))
    for state in ("failing", "revoked"):
        CalendarAccount.objects.update(state=state, state_since=NOW - HOUR)
        page = client.get("/")
        assert sentence in words(page)
        assert f'href="/settings/calendars#account-{own.account_id}"' in main(page)


def test_the_week_leaves_out_what_was_refused_called_off_or_has_expired(
    client: Client, bob: User, approved: EventType, ask: Ask
) -> None:
    bookings.cancel(booking=book(approved), actor=bookings.host(bob), now=NOW)
    services.reject(meeting=ask(start=START + HOUR), actor=bob, now=NOW)
    ask(start=NOW - HOUR, now=NOW - DAY)
    client.force_login(bob)
    assert [day.entries for day in client.get("/").context["week"].days] == [[]] * 7


def test_a_meeting_stands_once_for_each_of_the_two(
    client: Client, alice: User, bob: User, ask: Ask
) -> None:
    services.confirm(meeting=ask(), actor=bob, now=NOW)
    for person, other in ((alice, "Bob Byrd"), (bob, "Alice Ames")):
        client.force_login(person)
        found = [
            (entry.claim.who, entry.claim.waits)
            for day in client.get("/").context["week"].days
            for entry in day.entries
        ]
        assert found == [(other, False)]


def test_the_days_begin_today_in_the_persons_zone(
    client: Client, bob: User, meeting_type: EventType
) -> None:
    """At 16:00 UTC on Wednesday, it is 5:00 on Thursday in Auckland.

    The day on which the person's weeks begin does not matter here.
    """
    book(meeting_type, START + 6 * HOUR)
    bob.timezone, bob.week_start, bob.time_format = "Pacific/Auckland", 7, "HH:mm"
    bob.save()
    client.force_login(bob)
    page = client.get("/")
    week = page.context["week"]
    assert [day.date.isoformat() for day in week.days if day.entries] == ["2026-03-05"]
    assert week.first.isoformat() == "2026-03-02"
    assert "05:00 – 05:30 John Doe Interview" in days(main(page))[3]
    assert "Times are in Pacific/Auckland." in words(page)


def test_one_goes_seven_days_on_and_back(client: Client, bob: User) -> None:
    client.force_login(bob)
    page = main(client.get("/"))
    assert re.findall(r'href="\?week=([^#"]*)', page) == ["2026-02-23", "2026-03-09"]
    assert "Today" not in re.findall(r"<nav.*?</nav>", page, re.DOTALL)[0]
    page = main(client.get("/?week=2026-03-11"))
    assert re.findall(r'href="\?week=([^#"]*)', page) == ["2026-03-04", "2026-03-18"]
    assert 'href="/#week">Today' in page
    assert "11 March – 17 March 2026" in page


@pytest.mark.parametrize("week", ["", "x", "2026-13-01", "0001-01-01", "9999-12-31", "2026-3-2"])
def test_a_date_that_is_none_is_today(client: Client, bob: User, week: str) -> None:
    client.force_login(bob)
    assert client.get(f"/?week={week}").context["week"].first == NOW.date()


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_the_rows(
    client: Client,
    bob: User,
    meeting_type: EventType,
    approved: EventType,
    ask: Ask,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
) -> None:
    for n in range(count):
        book(meeting_type, START + n * HOUR)
        book(approved, START + DAY + n * HOUR)
        services.confirm(meeting=ask(start=START + (n - 3) * HOUR), actor=bob, now=NOW)
        ask(start=START + (n + 8) * HOUR)
        ledger.claim(user=bob, start=START + (n - 9) * HOUR, end=START + (n - 8) * HOUR)
    own = factories.read_calendar(bob)
    for n in range(count):
        factories.entry(own, start=START + n * HOUR, end=START + (n + 1) * HOUR)
    client.force_login(bob)
    # Session and person; hours; two lists of what is ahead, two of what waits, what that collides
    # with; overrides, schedules that event types follow, meetings, their rows of the ledger, the
    # ledger, and in it what outside calendars have; those that cannot be read.
    with django_assert_num_queries(15):
        page = client.get("/")
    assert len(page.context["inbox"]) == min(2 * count, 5)


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(client: Client, bob: User, ask: Ask, method: str) -> None:
    ask()
    client.force_login(bob)
    before = everything()
    getattr(client, method)("/")
    assert everything() == before
    assert client.post("/").status_code == 405
