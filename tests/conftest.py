"""The cast: Alice owns a team, Bob is her team mate, Charlie must see nothing of theirs."""

import pytest

from accounts.models import Team, User
from tests import factories


@pytest.fixture
def alice(db: None) -> User:
    return factories.user("alice", first_name="Alice", last_name="Ames")


@pytest.fixture
def bob(db: None) -> User:
    return factories.user("bob", first_name="Bob", last_name="Byrd")


@pytest.fixture
def charlie(db: None) -> User:
    return factories.user("charlie", first_name="Charlie", last_name="Cole")


@pytest.fixture
def team(alice: User, bob: User) -> Team:
    return factories.team("Founders", alice, bob)
