"""Each private name of a library still is what Parley takes it for, and stands in one module."""

import ast
import inspect
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin import AdminSite
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.log import log_response
from django.utils.module_loading import import_string
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from firebase_admin import messaging
from rest_framework import serializers
from rest_framework.views import APIView

from accounts.domain.sessions import SessionStore
from accounts.models import Team, User
from core.ops import private_names
from scheduling.api.serializers_of_hours import WeekChangeSerializer

ROOT = Path(__file__).resolve().parents[2]
FENCES = {"core/ops/private_names.py", "tests/private_names.py"}
APPS = ["config", *sorted(path.parent.name for path in ROOT.glob("*/apps.py"))]
# Names with an underscore that their libraries document for all to use.
DOCUMENTED = {
    "_meta",
    "_base_manager",
    "_default_manager",
    "_state",
    "_replace",
    "_asdict",
    "_exit",
}


# --- one test a name --------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_session_tells_its_person_once_it_is_loaded(rf: RequestFactory, alice: User) -> None:
    kept = SessionStore()
    kept[SESSION_KEY] = str(alice.pk)
    kept.save()
    request = rf.get("/")
    assert private_names.person_in_loaded_session(request) is None
    request.session = SessionStore(kept.session_key)
    assert private_names.person_in_loaded_session(request) is None
    assert request.session[SESSION_KEY]
    assert private_names.person_in_loaded_session(request) == alice.pk


def test_a_session_without_its_key_takes_a_new_one() -> None:
    session = SessionBase("a-key-of-a-session")
    assert session.session_key == "a-key-of-a-session"
    private_names.drop_session_key(session)
    assert session.session_key is None


def test_django_logs_no_response_that_is_marked(
    rf: RequestFactory, caplog: pytest.LogCaptureFixture
) -> None:
    marked, other = HttpResponse(status=503), HttpResponse(status=503)
    private_names.mark_as_logged(marked)
    with caplog.at_level(logging.WARNING, "django.request"):
        log_response("marked", response=marked, request=rf.get("/"))
        log_response("other", response=other, request=rf.get("/"))
    assert [record.getMessage() for record in caplog.records] == ["other"]


def test_the_tables_of_a_staff_site_stand_in_the_order_of_their_registration() -> None:
    site = AdminSite()
    site.register([User, Team])
    assert private_names.staff_tables(site) == [
        site.get_model_admin(User),
        site.get_model_admin(Team),
    ]


@pytest.fixture
def schema() -> AutoSchema:
    schema = AutoSchema()
    schema.registry = ComponentRegistry()
    schema.method = "POST"
    schema.view = APIView(request=None)
    return schema


def test_a_field_has_a_description(schema: AutoSchema) -> None:
    field = serializers.EmailField()
    described = private_names.describe_field(schema, field, "response")
    assert described == {"type": "string", "format": "email"}


def test_a_serializer_is_described_without_its_extension(schema: AutoSchema) -> None:
    """The extension of this one forbids other properties."""
    described = private_names.describe_serializer(schema, WeekChangeSerializer(), "request")
    assert (described["type"], "additionalProperties" in described) == ("object", False)


def test_the_rules_are_those_by_which_firebase_retries() -> None:
    from firebase_admin import _http_client

    rules = private_names.firebase_retries()
    given = inspect.signature(_http_client.HttpClient.__init__).parameters["retries"].default
    assert given is rules
    assert {"respect_retry_after_header", "other", "backoff_factor"} <= set(vars(rules))


def test_the_class_is_the_one_that_sends_messages() -> None:
    sends = private_names.firebase_messages()
    assert sends.FCM_URL.startswith("https://")
    assert "FCM_URL" in sends.__init__.__code__.co_names
    assert "_MessagingService" in messaging._get_messaging_service.__code__.co_names


@pytest.mark.parametrize("ours", private_names.OVERRIDDEN)
def test_an_overridden_hook_is_one_of_the_library(ours: str) -> None:
    path, hooks = private_names.OVERRIDDEN[ours]
    own, theirs = import_string(ours), import_string(path)
    assert issubclass(own, theirs)
    for hook in hooks:
        assert vars(own)[hook] is not getattr(theirs, hook)
        parameters = inspect.signature(getattr(theirs, hook)).parameters
        assert list(inspect.signature(vars(own)[hook]).parameters) == list(parameters)


# --- and nowhere else -------------------------------------------------------------------------


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in (*APPS, "tests", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "migrations" not in path.parts and name != "tests/core/test_private_names.py":
                yield name, ast.parse(path.read_text())


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name.strip("_") != ""


def defined(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives: to functions, classes, variables, attributes, arguments."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(attr=name, value=ast.Name(id="self"), ctx=ast.Store()):
                yield name


def used(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name):
                yield name
            case ast.ImportFrom(module=str(module), names=names) if module != "_typeshed":
                yield from module.split(".")
                yield from (each.name for each in names)


def test_no_other_module_uses_a_private_name_of_a_library() -> None:
    trees = dict(sources())
    ours = {name for tree in trees.values() for name in defined(tree)}
    # Overriding a hook defines its name; `test_no_other_class_overrides_one` looks at those.
    assert {
        (path, name)
        for path, tree in trees.items()
        if path not in FENCES
        for name in used(tree)
        if is_private(name) and name not in ours | DOCUMENTED
    } == set()


def classes() -> Iterator[type[Any]]:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in APPS:
            for each in vars(module).values():
                if inspect.isclass(each) and each.__module__ == name:
                    yield each


def test_no_other_class_overrides_one() -> None:
    assert apps.ready
    import config.urls  # noqa: F401  with it all views are loaded

    overridden = {
        (f"{each.__module__}.{each.__qualname__}", name)
        for each in classes()
        for name, value in vars(each).items()
        if is_private(name) and not name.endswith("_") and isinstance(value, FunctionType)
        for base in each.__mro__[1:]
        if base.__module__.partition(".")[0] not in APPS and name in vars(base)
    }
    assert overridden == {
        (ours, hook)
        for ours, (_theirs, hooks) in private_names.OVERRIDDEN.items()
        for hook in hooks
    }
