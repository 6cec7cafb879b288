"""People: their accounts, API tokens and ways to sign in."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings

from accounts.domain import services
from accounts.models import ApiToken, User, checksum_holds, new_token, scopes
from core.db.crypto import digest
from core.errors import Invalid
from notifications.domain import devices
from notifications.models import Notification
from tests import factories
from tests.pages import stand_alone

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_person_made_by_us_has_a_verified_address_and_can_sign_in(client: Client) -> None:
    user = User.objects.create_user("Ada@Example.com", factories.PASSWORD)
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified, address.primary) == ("ada@example.com", True, True)
    answer = client.post(
        "/accounts/login/", {"login": "ada@example.com", "password": factories.PASSWORD}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_superuser_can_sign_in_too(client: Client) -> None:
    User.objects.create_superuser("root@example.com", factories.PASSWORD)
    assert client.login(email="root@example.com", password=factories.PASSWORD)
    assert EmailAddress.objects.get(email="root@example.com").verified


def test_addresses_are_one_whatever_their_case(alice: User) -> None:
    with pytest.raises(ValidationError):
        User.objects.create_user("ALICE@example.com", factories.PASSWORD)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(email="Alice@Example.com", username="other")])


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="Mars"):
        factories.user("dora", timezone="Mars/Olympus")


def test_a_name_is_never_empty() -> None:
    assert User(email="ada@example.com").name == "ada"
    assert User(email="ada@example.com", first_name="Ada", last_name="Lovelace").name == (
        "Ada Lovelace"
    )


@pytest.mark.parametrize("username", ["a b", "ada!", "ada\n", "Ada", "a" * 31, "ä"])
def test_a_username_is_letters_digits_and_hyphens_from_end_to_end(username: str) -> None:
    with pytest.raises(ValidationError):
        User._meta.get_field("username").run_validators(username)


def test_signing_up_sends_the_confirmation_through_the_outbox(
    client: Client, settings: Settings
) -> None:
    stand_alone(settings)
    answer = client.post(
        "/accounts/signup/",
        {
            "first_name": "Dora",
            "last_name": "",
            "email": "dora@example.com",
            "password1": factories.PASSWORD,
            "timezone": "Europe/Berlin",
        },
    )
    assert answer.status_code == 302
    dora = User.objects.get(email="dora@example.com")
    assert (dora.username, dora.timezone, dora.name) == ("dora", "Europe/Berlin", "Dora")
    mail = Notification.objects.get(address="dora@example.com")
    assert (mail.channel, mail.state, mail.user) == ("email", "waiting", dora)
    assert "/accounts/confirm-email/" in mail.content


def test_a_token_is_ours_by_its_look_and_only_its_digest_is_kept(alice: User) -> None:
    row, token = services.create_token(user=alice, name="laptop", scopes=["events:read"])
    assert len(token) == 4 + 40 + 6
    assert checksum_holds(token)
    assert row.digest == digest(token)
    assert token not in str(ApiToken.objects.values().get())


def test_a_mistyped_token_is_known_without_a_query() -> None:
    token = new_token()
    swapped = token[:10] + ("a" if token[10] != "a" else "b") + token[11:]
    assert not checksum_holds(swapped)
    assert not checksum_holds("pat_short")
    assert not checksum_holds("")


def test_unknown_and_no_scopes_are_refused(alice: User) -> None:
    for wanted in (["events:eat"], []):
        with pytest.raises(Invalid):
            services.create_token(user=alice, name="x", scopes=wanted)


def test_a_token_is_usable_until_it_is_revoked_or_expires(alice: User) -> None:
    row, _token = services.create_token(
        user=alice, name="x", scopes=["events:read"], expires_at=NOW + timedelta(hours=1)
    )

    def usable(now: datetime) -> bool:
        return ApiToken.objects.usable(now).filter(pk=row.pk).exists()

    assert usable(NOW)
    assert not usable(NOW + timedelta(hours=1))
    services.revoke_token(token=row, actor=None, now=NOW)
    assert not usable(NOW)


def test_writing_implies_reading() -> None:
    assert scopes.allows(["events:write"], "events:read")
    assert not scopes.allows(["events:read"], "events:write")
    assert not scopes.allows(["events:write"], "event_types:read")


def test_create_token_prints_the_token_and_nothing_else(alice: User) -> None:
    out = io.StringIO()
    call_command("create_token", "Alice@example.com", name="ci", stdout=out)
    assert checksum_holds(out.getvalue().removesuffix("\n"))
    assert sorted(ApiToken.objects.get().scopes) == sorted(scopes.SCOPES)


def test_create_token_takes_scopes(alice: User) -> None:
    for _twice in range(2):
        call_command(
            "create_token",
            "alice@example.com",
            name="ci",
            scopes="events:read, users:write",
            stdout=io.StringIO(),
        )
    assert [row.scopes for row in ApiToken.objects.all()] == [["events:read", "users:write"]] * 2


@pytest.mark.parametrize(
    ("email", "wanted"), [("nobody@example.com", ""), ("alice@example.com", "events:eat")]
)
def test_create_token_says_what_is_wrong(alice: User, email: str, wanted: str) -> None:
    with pytest.raises(CommandError):
        call_command("create_token", email, name="ci", scopes=wanted)


def test_a_device_changes_hands_with_whoever_signs_in_on_it(alice: User, bob: User) -> None:
    first = services.register_device(user=alice, token="t", platform="ios")
    devices.deactivate(digest=first.digest)
    device = services.register_device(user=bob, token="t", platform="ios", name="Phone")
    assert (device.user, device.is_active) == (bob, True)
    assert alice.devices.count() == 0
