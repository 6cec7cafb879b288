"""Sign-up and login: the computing time does not reveal which addresses have an account."""

import time
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from notifications.models import Notification
from scheduling.models import WeeklyAvailability
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

SIGN_UP = {"first_name": "Dora", "password1": "battery-horse-staple"}


def work_of(act: Callable[[], object]) -> float:
    """Return the CPU seconds of the whole process. Hashing a password uses other threads."""
    began = time.process_time()
    act()
    return time.process_time() - began


def sign_up(email: str) -> None:
    answer = Client(REMOTE_ADDR=f"192.0.2.{len(email)}").post(
        "/accounts/signup/", SIGN_UP | {"email": email}
    )
    assert answer.headers["Location"] == "/accounts/confirm-email/"


def log_in(email: str) -> None:
    Client().post("/accounts/login/", {"login": email, "password": "wrong-horse-staple"})


@pytest.mark.parametrize("ask", [sign_up, log_in])
def test_known_and_unknown_addresses_take_the_same_work(
    alice: User, ask: Callable[[str], None]
) -> None:
    ask("warm@example.com")
    known = min(work_of(lambda: ask(alice.email)) for _try in range(3))
    unknown = min(work_of(lambda n=n: ask(f"new{n}@example.com")) for n in range(3))  # type: ignore[misc]
    assert 0.5 < known / unknown < 2, (known, unknown)


def test_what_is_made_for_a_known_address_is_taken_back(alice: User) -> None:
    sign_up(alice.email)
    assert list(User.objects.values_list("email", flat=True)) == [alice.email]
    assert WeeklyAvailability.objects.count() == 1
    assert alice.check_password(factories.PASSWORD)
    assert [row.kind for row in Notification.objects.all()] == ["account_already_exists"]
