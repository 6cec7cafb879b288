"""Fixtures for scheduling: Alice's event types, her working hours, and bookings by John Doe."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from pytest_django import Settings

from accounts.models import User
from scheduling.domain import services
from scheduling.models import Booking, EventType, Schedule
from tests import factories
from tests.pages import NOW, START, stand_alone

Book = Callable[..., Booking]


@pytest.fixture
def now() -> datetime:
    """Return a Monday, 9:00 UTC."""
    return NOW


@pytest.fixture
def at_now(settings: Settings) -> Iterator[None]:
    """Stop the clock at NOW."""
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def event_type(alice: User) -> EventType:
    """Return an event type of half an hour, confirmed at once."""
    return factories.event_type(alice)


@pytest.fixture
def approved(alice: User) -> EventType:
    """Return an event type of half an hour that Alice must approve."""
    return factories.event_type(alice, name="Interview", requires_approval=True)


@pytest.fixture
def evenings(alice: User) -> Schedule:
    """Return a schedule of Alice's beside her default one: Monday to Friday, six to nine."""
    days = {str(day): services.DayChange(start="18:00", end="21:00") for day in range(1, 6)}
    return services.create_schedule(user=alice, name="Evenings", days=days)


@pytest.fixture
def book(event_type: EventType) -> Book:
    """Return a function by which John Doe books START, unless it gets other values."""

    def book(of: EventType = event_type, start: datetime = START, **fields: Any) -> Booking:
        return factories.booking(of, start=start, now=NOW, **fields)

    return book


@pytest.fixture
def booking(book: Book) -> Booking:
    return book()
