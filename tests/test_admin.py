"""The staff pages: every model can be found, history cannot be edited, actions call services."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import services as account_services
from accounts.models import ApiToken, Notification, PushDevice, Team, User
from config.admin import ReadOnlyAdmin
from meetings import services
from meetings.models import MeetingRequest
from tests import factories
from tests.pages import stand_alone

pytestmark = pytest.mark.django_db

OURS = [
    model
    for app in ("accounts", "scheduling", "meetings")
    for model in apps.get_app_config(app).get_models()
]


@pytest.fixture
def staff(client: Client, settings: Settings) -> Client:
    stand_alone(settings)
    client.force_login(User.objects.create_superuser("staff@example.com", factories.PASSWORD))
    return client


@pytest.fixture
def meeting(alice: User, bob: User, team: Team) -> MeetingRequest:
    PushDevice.objects.create(user=bob, token="registration-token", platform="ios")
    now = timezone.now()
    return services.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        date=(now + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        link="",
        now=now,
    )


def url(model: type[Model], page: str = "", pk: Any = None) -> str:
    path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    return f"{path}{pk}/{page}" if pk else f"{path}{page}"


def act(staff: Client, action: str, row: Model) -> str:
    answer = staff.post(
        url(type(row)), {"action": action, ACTION_CHECKBOX_NAME: [row.pk]}, follow=True
    )
    return answer.content.decode()


def test_every_model_of_ours_has_its_page() -> None:
    missing = [model for model in OURS if model not in admin.site._registry]
    # A membership is edited within its team and its person.
    assert [model._meta.label for model in missing] == ["accounts.Membership"]


@pytest.mark.parametrize("model", [m for m in OURS if m in admin.site._registry], ids=str)
def test_each_list_opens_searches_and_shows_a_row(
    staff: Client, meeting: MeetingRequest, model: type[Model]
) -> None:
    account_services.create_token(user=meeting.requester, name="x", scopes=["events:read"])
    services.confirm(meeting=meeting, actor=meeting.recipient, now=timezone.now())
    assert staff.get(url(model)).status_code == 200
    assert staff.get(url(model), {"q": "alice"}).status_code == 200
    row = model._default_manager.first()
    if row is not None:
        assert staff.get(url(model, "change/", row.pk)).status_code == 200


def test_history_can_be_neither_added_nor_changed_nor_deleted(
    staff: Client, meeting: MeetingRequest
) -> None:
    for model, model_admin in admin.site._registry.items():
        if isinstance(model_admin, ReadOnlyAdmin):
            assert staff.get(url(model, "add/")).status_code == 403
    assert staff.post(url(MeetingRequest, "delete/", meeting.pk)).status_code == 403
    assert staff.post(url(MeetingRequest, "change/", meeting.pk), {}).status_code == 403


def test_people_who_are_not_staff_see_nothing(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/admin/").status_code == 302


def test_a_person_that_staff_add_can_sign_in(staff: Client) -> None:
    staff.post(
        url(User, "add/"),
        {
            "email": "Dora@example.com",
            "username": "dora",
            "first_name": "Dora",
            "last_name": "",
            "timezone": "Europe/Berlin",
            "usable_password": "true",
            "password1": factories.PASSWORD,
            "password2": factories.PASSWORD,
            "memberships-TOTAL_FORMS": 0,
            "memberships-INITIAL_FORMS": 0,
        },
    )
    address = EmailAddress.objects.get(user__username="dora")
    assert (address.email, address.verified, address.primary) == ("dora@example.com", True, True)


def test_calling_a_meeting_off_tells_both_people(staff: Client, meeting: MeetingRequest) -> None:
    act(staff, "call_off", meeting)
    meeting.refresh_from_db()
    assert meeting.status == "cancelled"
    told = Notification.objects.filter(kind="meeting_cancelled").values_list("user", flat=True)
    assert sorted(told) == sorted([meeting.requester_id, meeting.recipient_id])


def test_what_cannot_be_called_off_is_said(staff: Client, meeting: MeetingRequest) -> None:
    services.reject(meeting=meeting, actor=meeting.recipient, now=timezone.now())
    assert "This meeting is rejected." in act(staff, "call_off", meeting)


def test_a_token_is_revoked_at_once(staff: Client, alice: User) -> None:
    row, _token = account_services.create_token(user=alice, name="x", scopes=["events:read"])
    act(staff, "revoke", row)
    assert not ApiToken.objects.usable(timezone.now()).exists()


def test_a_device_is_deactivated(staff: Client, meeting: MeetingRequest) -> None:
    device = PushDevice.objects.get()
    act(staff, "deactivate", device)
    device.refresh_from_db()
    assert not device.is_active


def test_a_message_is_sent_again_and_taken_back(staff: Client, meeting: MeetingRequest) -> None:
    row = Notification.objects.get(channel="email")
    Notification.objects.filter(pk=row.pk).update(
        state="failed", attempts=3, settled_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    act(staff, "send_again", row)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.settled_at) == ("waiting", 0, None)
    act(staff, "take_back", row)
    row.refresh_from_db()
    assert row.state == "withdrawn"


def test_no_page_shows_a_secret(staff: Client, meeting: MeetingRequest, alice: User) -> None:
    row, _token = account_services.create_token(user=alice, name="x", scopes=["events:read"])
    notification = Notification.objects.get(channel="email")
    device = PushDevice.objects.get()
    for shown in (row, notification, device):
        page = staff.get(url(type(shown), "change/", shown.pk)).content.decode()
        assert row.digest not in page
        assert "/meetings/answer/" not in page
        assert device.token not in page
