"""Settings, devices: devices that receive push messages."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.domain import services
from accounts.models import User
from notifications.domain import devices
from notifications.models import PushDevice
from tests.pages import everything, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/devices"


def device_of(owner: User, name: str = "Phone") -> PushDevice:
    return services.register_device(
        user=owner, token=f"registration-{owner.pk}-{name}", platform="ios", name=name
    )


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def test_it_is_for_the_signed_in(client: Client, alice: User) -> None:
    assert client.get(PAGE).headers["Location"] == "/accounts/login/?next=/settings/devices"
    client.post(f"{PAGE}/{device_of(alice).pk}/remove")
    assert PushDevice.objects.count() == 1


def test_without_any_it_says_how_one_gets_there(signed_in: Client) -> None:
    said = words(signed_in.get(PAGE))
    assert "No devices yet An app registers the device that it runs on" in said
    assert "/api/v1/users/me/devices" in said


def test_each_is_named_with_how_it_stands(signed_in: Client, alice: User) -> None:
    device_of(alice)
    nameless = device_of(alice, "")
    devices.deactivate(digest=nameless.digest)
    page = signed_in.get(PAGE)
    assert "Phone Active iOS registered Mon 03/02/2026 Remove Phone" in words(page)
    assert "iOS device Unreachable iOS registered Mon 03/02/2026" in words(page)
    assert "registration-" not in page.content.decode()


def test_removed_it_is_gone(signed_in: Client, alice: User) -> None:
    kept, gone = device_of(alice, "Kept"), device_of(alice)
    assert signed_in.post(f"{PAGE}/{gone.pk}/remove").headers["Location"] == PAGE
    assert list(PushDevice.objects.all()) == [kept]
    assert "Phone has been removed." in words(signed_in.get(PAGE))


def test_looking_removes_nothing(signed_in: Client, alice: User) -> None:
    device = device_of(alice)
    before = everything()
    signed_in.get(PAGE)
    assert signed_in.get(f"{PAGE}/{device.pk}/remove").status_code == 405
    assert everything() == before


def test_a_strangers_device_is_not_there(client: Client, alice: User, bob: User) -> None:
    device = device_of(alice)
    client.force_login(bob)
    assert "Phone" not in words(client.get(PAGE))
    assert client.post(f"{PAGE}/{device.pk}/remove").status_code == 404
    assert list(PushDevice.objects.all()) == [device]


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_the_rows(
    signed_in: Client,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
) -> None:
    for number in range(count):
        device_of(alice, f"Phone {number}")
    with django_assert_num_queries(4):  # session, person, count and rows of the devices
        assert len(signed_in.get(PAGE).context["page"].object_list) == count
