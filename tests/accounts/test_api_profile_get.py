"""GET /api/v1/users/me: the caller's own profile."""

from datetime import UTC, datetime

from accounts.models import User
from tests import factories

URL = "/api/v1/users/me"


def test_it_has_the_documented_shape(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(
        avatar_url="https://example.com/avatar.jpg",
        timezone="America/New_York",
        position="Product Manager",
        company="ACME Corp",
        created_at=datetime(2025, 1, 15, 10, 30, tzinfo=UTC),
        updated_at=datetime(2025, 6, 15, 14, 30, tzinfo=UTC),
    )
    answer = factories.client(alice, "users:read").get(URL)
    assert answer.status_code == 200
    assert list(answer.json()) == ["data"]
    # As a list: the order of the fields is promised too.
    assert list(answer.json()["data"].items()) == [
        ("uuid", alice.uuid),
        ("id", alice.pk),
        ("email", "alice@example.com"),
        ("name", "Alice Ames"),
        ("first_name", "Alice"),
        ("last_name", "Ames"),
        ("avatar_url", "https://example.com/avatar.jpg"),
        ("timezone", "America/New_York"),
        ("position", "Product Manager"),
        ("company", "ACME Corp"),
        ("locale", {"date_format": "MM/dd/yyyy", "time_format": "hh:mm a", "week_start": 1}),
        ("status", "active"),
        ("created_at", "2025-01-15T10:30:00Z"),
        ("updated_at", "2025-06-15T14:30:00Z"),
        ("uri", "/api/v1/users/me"),
    ]


def test_what_is_not_known(alice: User) -> None:
    data = factories.client(alice).get(URL).json()["data"]
    assert (data["avatar_url"], data["position"], data["company"]) == (None, "", "")


def test_everybody_sees_themselves(bob: User, charlie: User) -> None:
    assert factories.client(bob).get(URL).json()["data"]["id"] == bob.pk
    assert factories.client(charlie).get(URL).json()["data"]["id"] == charlie.pk
