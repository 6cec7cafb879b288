"""Shared fixtures: Alice owns a team, Bob is in it, and Charlie must see nothing of theirs."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import hypothesis
import pytest
import time_machine
from django.conf import settings as configured
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.test import TransactionTestCase, override_settings
from hypothesis import is_hypothesis_test
from pytest_django import DjangoDbBlocker, Settings

from accounts.models import Team, User
from core.models import KeyCanary
from tests import factories, page_table
from tests.migrated import copy_of_postgresql, copy_of_sqlite, dropped_afterwards
from tests.page_table import World
from tests.pages import NOW, Making, stand_alone, standing_alone
from tests.torture.conftest import FULL

# A password's hash is slow to make, and meant to be; by the same algorithm, this one is not.
for cost, least in {"time_cost": 1, "memory_cost": 8, "parallelism": 1}.items():
    setattr(Argon2PasswordHasher, cost, least)

# Made-up cases are the same in every run, so that none is red by chance; new ones at full length.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.register_profile("new", deadline=None, print_blob=True)
hypothesis.settings.load_profile("new" if FULL else "fixed")

# What a test asks for that needs a database.
OF_THE_DATABASE = {"db", "transactional_db", "live_server", "making"}


@pytest.hookimpl(tryfirst=True)  # before the marks are chosen from
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that run once, that drive a browser, and that generate cases."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if "chromium" in fixtures:
            item.add_marker("browser")
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("fuzz")
        marks = {mark.name for mark in item.iter_markers()}
        uses_database = "django_db" in marks or OF_THE_DATABASE & fixtures
        if marks & {"browser", "look"} or not (uses_database or marks & {"both", "postgresql"}):
            item.add_marker("once")


@pytest.fixture(autouse=True)
def _processes_name_their_lane(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refuse to start a process in a test that is marked `once` by the hook above alone.

    Its environment names the database and the broker of the run, which the process may use.
    """
    marks = {mark.name for mark in request.node.iter_markers()}
    if "once" in marks and not marks & {"browser", "look"}:
        monkeypatch.setattr(subprocess.Popen, "__init__", _refuse_to_start)


def _refuse_to_start(*_arguments: object, **_named: object) -> None:
    pytest.fail("mark the test `both` or `look`: does it depend on the database or the broker?")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """Set up a copy of a migrated database for this process. pytest-django would migrate anew."""
    usual = connection.settings_dict
    name = usual["TEST"]["NAME"] or f"test_{usual['NAME']}"
    with ExitStack() as stack:
        if connection.vendor == "sqlite":
            copy_of_sqlite(Path(name))
        else:
            server = os.environ["DATABASE_URL"]
            copy_of_postgresql(server, name)
            stack.enter_context(dropped_afterwards(server, name))
        configured.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
        stack.enter_context(patch.object(TransactionTestCase, "_fixture_teardown", empty_tables))
        connection_created.connect(wait_for_no_disk)
        yield
        with django_db_blocker.unblock():
            connections.close_all()


def empty_tables(*_: object) -> None:
    """Delete the rows that a test has committed.

    Django would truncate all tables and refill some.
    """
    filled = (ContentType, KeyCanary, Permission)  # by `migrate`
    kept = {model._meta.db_table for model in filled}
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with transaction.atomic(), connection.cursor() as cursor:
        for table in {*tables} - kept:
            cursor.execute(f'DELETE FROM "{table}"')


def wait_for_no_disk(connection: BaseDatabaseWrapper, **_: object) -> None:
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA synchronous = OFF")


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
def making(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Making]:
    """Return a context in which a module makes rows that all its tests see.

    The rows are in a transaction around all tests of the module. Each test's transaction is a
    savepoint in it.
    """

    @contextmanager
    def making(at: datetime = NOW, **settings: Any) -> Iterator[None]:
        with (
            django_db_blocker.unblock(),
            override_settings(**standing_alone() | settings),
            time_machine.travel(at, tick=False),
        ):
            yield

    whole = transaction.atomic()
    with django_db_blocker.unblock():
        whole.__enter__()
    yield making
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        whole.__exit__(None, None, None)


@pytest.fixture(scope="module")
def page_world(making: Making) -> World:
    with making(**page_table.SETTINGS):
        return page_table.build()


@pytest.fixture
def world(page_world: World, settings: Settings, db: None) -> Iterator[World]:
    """Yield the page table's world, as new for each test."""
    stand_alone(settings)
    for name, value in page_table.SETTINGS.items():
        setattr(settings, name, value)
    with time_machine.travel(NOW, tick=False):
        yield deepcopy(page_world)
