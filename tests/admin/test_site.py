"""Staff pages as a whole: one sign-in, and one search box that finds everything."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.domain import services
from accounts.models import AuditEntry, Session, Team, User
from accounts.staff.base import StaffAdmin
from core.ops.private_names import staff_tables
from meetings.domain import services as services_of_meetings
from meetings.models import MeetingRequest
from notifications.models import Notification, PushDevice
from scheduling.models import Booking, EventType, HistoryEntry
from tests import factories
from tests.accounts.test_sessions import FIREFOX, cookie, is_in, sign_in
from tests.admin.calls import act, listed, press, url
from tests.admin.test_people import DORA, profile
from tests.pages import everything, words
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent

pytestmark = pytest.mark.django_db

SECRETS = {
    "password",
    "code",
    "code_challenge",
    "digest",
    "body_digest",
    "token",
    "token_checksum",
    "client_secret",
    "session_key",
    "session_data",
    "secret",
    "content",
    "data",
    "answer",
    "lease",
}

# --- how it looks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "3 Mar 2026, 14:05 UTC"),
        ("de", "3. März 2026, 14:05 UTC"),
        ("fr", "3 mars 2026, 14:05 UTC"),
        ("es", "3 de marzo de 2026, 14:05 UTC"),
    ],
)
def test_every_time_names_its_zone(
    staff: Client, booking: Booking, language: str, written: str
) -> None:
    """In a list, on a row's page, and among the rows below it; whatever the reader's own zone."""
    at = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)
    Booking.objects.update(start=at, created_at=at)
    HistoryEntry.objects.update(at=at)
    User.objects.update(language=language, timezone="Asia/Tokyo")
    for page in (url(Booking), url(Booking, "change/", booking.pk)):
        said = words(staff.get(page))
        assert written in said
        assert re.findall(r"\d\d:\d\d(?! UTC|-\d\d:\d\d UTC)", said) == []


def test_there_is_a_way_back_to_the_product_and_no_switch_of_colours(staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    assert '<a href="/">Back to Parley</a>' in page
    for part in ("css/tokens.css", "css/staff.css"):
        assert part in page
    for part in ("theme.js", "dark_mode.css", "theme-toggle"):
        assert part not in page


# --- who comes in ---------------------------------------------------------------------------------


def test_one_comes_in_by_the_door_that_everybody_takes(client: Client) -> None:
    """The usual sign-in has the limits, the second factor and the log."""
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1] == ("/accounts/login/?next=%2Fadmin%2F", 302)


def test_no_password_is_taken_at_the_admins_own_door(client: Client) -> None:
    User.objects.create_superuser("root@example.com", factories.PASSWORD)
    fields = {"username": "root@example.com", "password": factories.PASSWORD}
    answer = client.post("/admin/login/", fields)
    assert answer.headers["Location"].startswith("/accounts/login/")
    assert Session.objects.count() == 0


def test_whoever_is_not_staff_is_refused(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get("/admin/find/?q=alice", follow=True).status_code == 403


def test_a_closed_account_of_staff_is_nobodys(plain: Client) -> None:
    User.objects.update(is_active=False)
    assert plain.get("/admin/").status_code == 302


def test_a_password_is_changed_where_everybody_changes_theirs(staff: Client) -> None:
    answer = staff.get("/admin/password_change/")
    assert answer.headers["Location"] == "/accounts/password/change/"


@pytest.mark.parametrize(
    "table",
    [each for each in staff_tables(admin.site) if isinstance(each, StaffAdmin)],
    ids=lambda table: str(table.opts.label),
)
def test_all_staff_see_every_list(plain: Client, table: StaffAdmin[Any]) -> None:
    for query in ({}, {"q": "alice@example.com"}, {"q": "\0"}, {"q": "x y"}, {"q": "MTG-1"}):
        assert plain.get(url(table.model), query).status_code == 200


TABLES = pytest.mark.parametrize(
    "table", staff_tables(admin.site), ids=lambda table: table.opts.label
)


@TABLES
def test_no_list_is_narrowed_by_what_it_does_not_offer(table: StaffAdmin[Any]) -> None:
    """A filter by prefix would reveal a password's digest or a code letter by letter."""
    request = RequestFactory().get("/")
    offered = {
        str(getattr(each, "parameter_name", each)) for each in table.get_list_filter(request)
    }
    offered |= {table.date_hierarchy} if table.date_hierarchy else set()
    assert not offered & SECRETS
    own = {field.name for field in table.opts.get_fields()}
    for name in (own | SECRETS) - offered:
        for path in (name, f"{name}__startswith", f"{name}__regex", f"{name}__password__gte"):
            assert not table.lookup_allowed(path, "a", request), path


@pytest.mark.parametrize("page", ["accounts/user/?password", "oauth2_provider/grant/?code"])
def test_who_asks_for_such_a_list_is_refused(staff: Client, page: str) -> None:
    assert staff.get(f"/admin/{page}__startswith=a").status_code == 400


@TABLES
def test_every_list_can_be_narrowed_by_what_it_offers(
    plain: Client,
    meeting: MeetingRequest,
    booking: Booking,
    attempt: Attempt,
    table: StaffAdmin[Any],
) -> None:
    page = plain.get(url(table.model))
    for spec in page.context["cl"].filter_specs:
        for choice in spec.choices(page.context["cl"]):
            link = url(table.model) + str(choice["query_string"])
            assert plain.get(link).status_code == 200, link
    if table.date_hierarchy:
        narrowed = {f"{table.date_hierarchy}__year": 2026, f"{table.date_hierarchy}__month": 3}
        assert plain.get(url(table.model), narrowed).status_code == 200


def test_staff_delete_nothing_of_anybodys(plain: Client, team: Team) -> None:
    assert plain.post(url(Team, "delete/", team.pk), {"post": "yes"}).status_code == 403


# --- finding --------------------------------------------------------------------------------------


@pytest.fixture
def rows(
    alice: User, bob: User, meeting: MeetingRequest, booking: Booking, attempt: Attempt
) -> dict[str, Any]:
    notification = Notification.objects.filter(user=bob).first()
    assert notification is not None
    event = attempt.delivery.event
    return {
        alice.email: alice,
        "ALICE@example.com": alice,
        alice.uuid: alice,
        meeting.booking_number: meeting,
        meeting.booking_number.lower(): meeting,
        booking.uuid: booking,
        booking.event_type.uuid: booking.event_type,
        attempt.delivery.webhook.uuid: attempt.delivery.webhook,
        attempt.delivery.uuid: attempt.delivery,
        event.message_id: event,
        notification.message_id: notification,
        "john@example.com": booking,  # the invitee, who has no account
    }


def test_one_box_leads_to_whatever_is_named(plain: Client, rows: dict[str, Any]) -> None:
    found = {
        term: plain.get("/admin/find/", {"q": f" {term} "}).headers["Location"] for term in rows
    }
    assert found == {term: url(type(row), "change/", row.pk) for term, row in rows.items()}


def test_several_are_listed(plain: Client, booking: Booking, bob: User) -> None:
    factories.booking(factories.event_type(bob), start=booking.start, now=timezone.now())
    answer = plain.get("/admin/find/", {"q": "john@example.com"})
    assert answer.headers["Location"] == f"{url(Booking)}?q=john%40example.com"
    assert len(listed(plain, Booking, q="john@example.com")) == 2


def test_a_name_is_looked_for_among_people(plain: Client, alice: User) -> None:
    answer = plain.get("/admin/find/", {"q": "Alice Am"})
    assert answer.headers["Location"] == f"{url(User)}?q=Alice+Am"
    assert listed(plain, User, q="Alice Am") == [alice]


@pytest.mark.parametrize("term", ["nobody@example.com", "evt_none", "MTG-20260101-001", "usr_\0"])
def test_what_is_not_there_is_said(plain: Client, term: str) -> None:
    page = plain.get("/admin/find/", {"q": term}, follow=True)
    assert page.redirect_chain == [("/admin/", 302)]
    assert f"There is no {term.strip(chr(0))}." in page.content.decode()


def test_the_box_is_on_every_page(plain: Client, alice: User) -> None:
    for path in ("/admin/", url(User), url(User, "change/", alice.pk)):
        assert 'action="/admin/find/"' in plain.get(path).content.decode()


def test_lists_find_by_email_and_number(plain: Client, rows: dict[str, Any], alice: User) -> None:
    for term, row in rows.items():
        assert listed(plain, type(row), q=term) == [row]
    others = (Webhook, WebhookEvent, Delivery, EventType, Booking, MeetingRequest)
    assert [len(listed(plain, model, q=alice.email)) for model in others] == [1] * 6


def test_no_list_is_counted_to_its_end(plain: Client, alice: User) -> None:
    paginator = plain.get(url(User)).context["cl"].paginator
    assert "LIMIT 10000" in str(paginator.object_list.order_by()[:10_000].query)
    assert paginator.count == 2


# --- doing ----------------------------------------------------------------------------------------


def test_what_can_be_done_to_a_row_is_on_its_page(plain: Client, meeting: MeetingRequest) -> None:
    page = plain.get(url(MeetingRequest, "change/", meeting.pk)).content.decode()
    assert f'action="{url(MeetingRequest, "act/call_off/", meeting.pk)}"' in page
    assert "The meeting does not take place. Both get an email at once." in page


def test_looking_does_nothing(plain: Client, meeting: MeetingRequest) -> None:
    before = everything()
    assert plain.get(url(MeetingRequest, "act/call_off/", meeting.pk)).status_code == 405
    assert everything() == before


def test_what_cannot_be_done_is_not_there(plain: Client, meeting: MeetingRequest) -> None:
    for path in (
        url(MeetingRequest, "act/burn/", meeting.pk),
        url(MeetingRequest, "act/call_off/", 987_654),
        url(MeetingRequest, "act/delete_selected/", meeting.pk),
        url(MeetingRequest, "history/", meeting.pk),
    ):
        assert plain.post(path).status_code == 404


def test_no_other_site_can_press_the_button(plain: Client, meeting: MeetingRequest) -> None:
    plain.handler.enforce_csrf_checks = True
    assert plain.post(url(MeetingRequest, "act/call_off/", meeting.pk)).status_code == 403


def test_a_stranger_to_staff_cannot_either(client: Client, meeting: MeetingRequest) -> None:
    client.force_login(meeting.requester)
    client.post(url(MeetingRequest, "act/call_off/", meeting.pk))
    meeting.refresh_from_db()
    assert meeting.status == "pending"


def test_a_session_is_ended_at_once(plain: Client, alice: User) -> None:
    browser = sign_in(alice, FIREFOX)
    page = press(plain, "end", Session.objects.get(user=alice))  # to the list: it is gone
    assert "Sign out there: done." in page
    assert not is_in(browser)


def test_no_page_of_sessions_shows_a_key_or_what_they_hold(plain: Client, alice: User) -> None:
    browser = sign_in(alice, FIREFOX)
    row = Session.objects.get(user=alice)
    for path in (url(Session), url(Session, "change/", row.pk)):
        page = plain.get(path).content.decode()
        assert cookie(browser) not in page
        assert "_auth_user_id" not in page
    assert listed(plain, Session, q=alice.email) == [row]


# --- on record ------------------------------------------------------------------------------------


def log() -> list[tuple[str, User | None, str]]:
    """Return the staff entries of the log: action, person concerned and subject."""
    return [
        (entry.action, entry.person, entry.subject)
        for entry in AuditEntry.objects.select_related("person").order_by("id")
        if entry.actor and entry.actor.is_staff and entry.action.startswith("staff")
    ]


def test_adding_and_changing_are_on_record_by_the_names_of_fields(
    plain: Client, alice: User
) -> None:
    plain.post(url(User, "add/"), DORA)
    plain.post(
        url(User, "change/", alice.pk),
        profile(alice, company="A secret company", timezone="Asia/Tokyo"),
    )
    plain.post(url(User, "change/", alice.pk), profile(User.objects.get(pk=alice.pk)))
    dora = User.objects.get(first_name="Dora")
    assert log() == [
        ("staff_added", dora, "person Dora"),
        ("staff_changed", alice, "person Alice Ames: Changed Company and Time zone."),
    ]


def test_deleting_is_on_record(staff: Client) -> None:
    team = Team.objects.create(name="Nobody’s")
    staff.post(url(Team, "delete/", team.pk), {"post": "yes"})
    assert log() == [("staff_deleted", None, "team Nobody’s")]


def test_what_is_done_is_on_record_for_each_whom_it_concerns(
    plain: Client, meeting: MeetingRequest
) -> None:
    press(plain, "call_off", meeting)
    subject = f"Cancel and notify both people: meeting request {meeting}"
    assert log() == [
        ("staff_acted", meeting.requester, subject),
        ("staff_acted", meeting.recipient, subject),
    ]


def test_what_is_refused_was_not_done(plain: Client, meeting: MeetingRequest) -> None:
    services_of_meetings.reject(meeting=meeting, actor=meeting.recipient, now=timezone.now())
    assert "This meeting is rejected." in press(plain, "call_off", meeting)
    assert log() == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_log_is_in_one_language(plain: Client, alice: User, language: str) -> None:
    User.objects.filter(is_staff=True).update(language=language)
    row, _token = services.create_token(user=alice, name="x", scopes=["events:read"])
    act(plain, "revoke", row)
    assert log() == [("staff_acted", alice, f"Revoke now: API token {row}")]


def test_there_is_one_log(staff: Client, alice: User, team: Team) -> None:
    staff.post(url(User, "change/", alice.pk), profile(alice, company="C"))
    assert LogEntry.objects.count() == 0
    assert not admin.site.is_registered(LogEntry)


def test_nobody_changes_the_log(staff: Client, alice: User) -> None:
    services.create_token(user=alice, name="x", scopes=["events:read"])
    entry = AuditEntry.objects.filter(person=alice).latest("id")
    assert staff.post(url(AuditEntry, "change/", entry.pk), {}).status_code == 403
    assert staff.post(url(AuditEntry, "delete/", entry.pk), {"post": "yes"}).status_code == 403
    assert listed(staff, AuditEntry, q=alice.email, action="token_made") == [entry]


def test_too_many_at_once_are_refused(plain: Client, alice: User) -> None:
    PushDevice.objects.bulk_create(
        PushDevice(user=alice, token=f"t{number}", digest=f"d{number}", platform="web")
        for number in range(201)
    )
    answer = plain.post(
        url(PushDevice),
        {"action": "deactivate", "select_across": "1", "_selected_action": [1]},
        follow=True,
    )
    assert "Choose 200 at most." in answer.content.decode()
    assert PushDevice.objects.filter(is_active=False).count() == 0


def test_every_table_of_ours_says_whom_its_rows_concern_or_concerns_nobody() -> None:
    ours = [
        table.opts.label
        for app in ("notifications", "accounts", "webhooks", "calendars", "scheduling", "meetings")
        for model in apps.get_app_config(app).get_models()
        if admin.site.is_registered(model)
        and isinstance(table := admin.site.get_model_admin(model), StaffAdmin)
        and not table.people
    ]
    assert ours == [
        "accounts.User",  # they are the people
        "webhooks.Attempt",  # below its delivery
        "scheduling.HistoryEntry",  # below its booking
        "meetings.HistoryEntry",  # below its meeting
        "meetings.DayCounter",
    ]
