"""An event type of Alice's, who works Monday to Friday, nine to five, and somebody who books it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from pytest_django import Settings

from accounts.models import User
from scheduling.models import Booking, EventType
from tests import factories
from tests.pages import NOW, START, stand_alone

Book = Callable[..., Booking]


@pytest.fixture
def now() -> datetime:
    """A Monday, at nine in the morning, UTC."""
    return NOW


@pytest.fixture
def at_now(settings: Settings) -> Iterator[None]:
    """The clock stands at NOW."""
    stand_alone(settings)
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def event_type(alice: User) -> EventType:
    """Half an hour, confirmed at once."""
    return factories.event_type(alice)


@pytest.fixture
def approved(alice: User) -> EventType:
    """Half an hour that Alice must approve."""
    return factories.event_type(alice, name="Interview", requires_approval=True)


@pytest.fixture
def book(event_type: EventType) -> Book:
    """John Doe books START, unless told else."""

    def book(of: EventType = event_type, start: datetime = START, **fields: Any) -> Booking:
        return factories.booking(of, start=start, now=NOW, **fields)

    return book


@pytest.fixture
def booking(book: Book) -> Booking:
    return book()
