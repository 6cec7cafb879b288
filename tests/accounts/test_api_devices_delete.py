"""DELETE /api/v1/users/me/devices/{id}: deletes a push device."""

import pytest

from accounts.domain import services
from accounts.models import User
from notifications.models import PushDevice
from tests import factories


def test_a_device_is_deleted(alice: User) -> None:
    device = services.register_device(user=alice, token="abcdefgh-secret", platform="ios")
    client = factories.client(alice, "users:write")
    answer = client.delete(f"/api/v1/users/me/devices/{device.pk}")
    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Device deleted successfully"},
    )
    assert PushDevice.objects.count() == 0
    again = client.delete(f"/api/v1/users/me/devices/{device.pk}")
    assert (again.status_code, again.json()["message"]) == (404, "device not found")


@pytest.mark.parametrize("number", ["0", "9" * 30, "x"])
def test_an_unknown_device_is_404(alice: User, number: str) -> None:
    answer = factories.client(alice).delete(f"/api/v1/users/me/devices/{number}")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
