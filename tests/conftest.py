"""The cast: Alice owns a team, Bob is her team mate, Charlie must see nothing of theirs."""

import subprocess
from collections.abc import Iterator
from copy import deepcopy

import hypothesis
import pytest
import time_machine
from django.db import transaction
from django.test import override_settings
from hypothesis import is_hypothesis_test
from pytest_django import DjangoDbBlocker, Settings

from accounts.models import Team, User
from tests import factories, page_table
from tests.page_table import World
from tests.pages import NOW
from tests.torture.conftest import FULL

# Made-up cases are the same in every run, so that none is red by chance; new ones at full length.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.register_profile("new", deadline=None, print_blob=True)
hypothesis.settings.load_profile("new" if FULL else "fixed")

# What a test asks for that needs a database.
OF_THE_DATABASE = {"db", "transactional_db", "live_server", "module_transaction"}


@pytest.hookimpl(tryfirst=True)  # before the marks are chosen from
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs once, what drives a browser, and what makes up cases."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if "chromium" in fixtures:
            item.add_marker("browser")
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("fuzz")
        uses_database = item.get_closest_marker("django_db") or OF_THE_DATABASE & fixtures
        if item.get_closest_marker("look") or not (
            uses_database or item.get_closest_marker("both")
        ):
            item.add_marker("once")


@pytest.fixture(autouse=True)
def _processes_name_their_lane(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refuse to start a process in a test that is marked `once` by the hook above alone.

    Its environment names the database and the broker of the run, which the process may use.
    """
    marks = {mark.name for mark in request.node.iter_markers()}
    if "once" in marks and "look" not in marks:
        monkeypatch.setattr(subprocess.Popen, "__init__", _refuse_to_start)


def _refuse_to_start(*_arguments: object, **_named: object) -> None:
    pytest.fail("mark the test `both` or `look`: does it depend on the database or the broker?")


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


# --- a world for a whole module -----------------------------------------------------------------


@pytest.fixture(scope="module")
def module_transaction(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A transaction around the tests of a module: rows that are made in it stand in each of them.

    The transaction of each test is then a savepoint in it.
    """
    whole = transaction.atomic()
    with django_db_blocker.unblock():
        whole.__enter__()
    yield
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        whole.__exit__(None, None, None)


@pytest.fixture(scope="module")
def page_world(module_transaction: None, django_db_blocker: DjangoDbBlocker) -> World:
    with (
        django_db_blocker.unblock(),
        override_settings(**page_table.world_settings()),
        time_machine.travel(NOW, tick=False),
    ):
        return page_table.build()


@pytest.fixture
def world(page_world: World, settings: Settings, db: None) -> Iterator[World]:
    """The world of the page table, as new for each test."""
    for name, value in page_table.world_settings().items():
        setattr(settings, name, value)
    with time_machine.travel(NOW, tick=False):
        yield deepcopy(page_world)
