"""Prepared queries, whose SQL is built once: equal to their querysets for all values."""

import gc
import threading
import weakref
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from accounts.models import ApiToken, Membership, Team, User
from core.db.prepared import Named, Prepared
from tests import factories

of_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL alone")
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)

usable = Prepared(
    lambda now, user: (
        ApiToken.objects.usable(now).filter(user=user).select_related("user").order_by("id")
    )
)
hints = Prepared(
    lambda user: ApiToken.objects.filter(user=user).order_by("id").values_list("id", "scopes")
)


def token(owner: User, **fields: Any) -> ApiToken:
    factories.token(owner, "events:read")
    made = ApiToken.objects.latest("id")
    ApiToken.objects.filter(pk=made.pk).update(**fields)
    made.refresh_from_db()
    return made


def test_rows_are_those_of_the_values_and_in_pythons_types(alice: User, bob: User) -> None:
    first, second = token(alice), token(alice)
    others = token(bob)
    assert hints.rows(user=alice.pk) == [(first.pk, ["events:read"]), (second.pk, ["events:read"])]
    assert hints.rows(user=bob.pk) == [(others.pk, ["events:read"])]
    assert [hints.count(user=each.pk) for each in (alice, bob)] == [2, 1]


def test_a_page_has_the_count_of_all_beside_it(
    alice: User, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first, second, _others = token(alice), token(alice), token(bob)
    with django_assert_num_queries(2):
        assert hints.page(1, 5, user=alice.pk) == ([(second.pk, ["events:read"], 2)], 2)
        assert hints.page(0, 1, user=alice.pk) == ([(first.pk, ["events:read"], 2)], 2)
    assert hints.page(2, 5, user=alice.pk) == ([], 2)
    with django_assert_num_queries(1):
        assert hints.page(0, 5, user=0) == ([], 0)


def test_a_moment_is_a_value_like_others(alice: User) -> None:
    soon, later = (token(alice, expires_at=NOW + timedelta(hours=hours)) for hours in (1, 2))
    for_ever = token(alice)
    found = [
        [each.pk for each in usable.objects(now=NOW + timedelta(minutes=minutes), user=alice.pk)]
        for minutes in (0, 60, 119, 120)
    ]
    assert found == [
        [soon.pk, later.pk, for_ever.pk],
        [later.pk, for_ever.pk],
        [later.pk, for_ever.pk],
        [for_ever.pk],
    ]


def test_objects_are_whole_with_what_is_selected_along(alice: User) -> None:
    made = token(alice, last_used_at=NOW)
    [found] = usable.objects(now=NOW, user=alice.pk)
    with CaptureQueriesContext(connection) as asked:
        assert [getattr(found, field.attname) for field in ApiToken._meta.concrete_fields] == [
            getattr(made, field.attname) for field in ApiToken._meta.concrete_fields
        ]
        assert (found.user, found.user.email, found.user.is_active) == (alice, alice.email, True)
        assert (found._state.adding, found._state.db) == (False, "default")
    assert len(asked) == 0


def test_each_set_of_names_has_its_own_sql(alice: User, bob: User, team: Team) -> None:
    calls = []

    def build(team: Any, user: Any = None) -> Any:
        calls.append((team, user))
        rows = Membership.objects.filter(team=team).order_by("id")
        return (rows if user is None else rows.filter(user=user)).values_list("user")

    members = Prepared(build)
    for _round in range(3):
        assert members.rows(team=team.pk) == [(alice.pk,), (bob.pk,)]
        assert members.rows(team=team.pk, user=bob.pk) == [(bob.pk,)]
    assert len(calls) == 2


def test_one_value_may_stand_in_several_places(alice: User, bob: User) -> None:
    either = Prepared(
        lambda text: User.objects.filter(Q(username=text) | Q(email=text)).values_list("username")
    )
    assert either.rows(text="alice") == [("alice",)]
    assert either.rows(text="bob@example.com") == [("bob",)]
    assert either.rows(text="' OR 1=1 --") == []


def test_a_row_is_named_by_number_or_uuid_and_by_nothing_else(alice: User, bob: User) -> None:
    named = Named(lambda active: User.objects.filter(is_active=active))
    assert named.objects(str(alice.pk), active=True) == [alice]
    assert named.objects(bob.uuid, active=True) == [bob]
    for key in (str(alice.pk), bob.uuid):
        assert named.objects(key, active=False) == []
    for key in ("", "0", "alice", "usr_\0", "9" * 40, f"{alice.pk} ", "-1", bob.uuid.upper()):
        assert named.objects(key, active=True) == []


@pytest.mark.django_db(transaction=True)
def test_no_statement_keeps_the_connection_of_a_thread_that_has_ended() -> None:
    ids = Prepared(lambda user: ApiToken.objects.filter(user=user).values_list("id"))
    whole = Prepared(lambda user: ApiToken.objects.filter(user=user).select_related("user"))
    held: list[weakref.ref[Any]] = []

    def ask() -> None:
        held.append(weakref.ref(connections[DEFAULT_DB_ALIAS]))
        ids.page(0, 5, user=0)
        ids.count(user=0)
        whole.objects(user=0)
        connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    gc.collect()
    [connection_of_thread] = held
    assert connection_of_thread() is None


@of_postgresql
@pytest.mark.django_db(transaction=True)
def test_what_comes_again_on_a_connection_is_planned_already(alice: User) -> None:
    for _round in range(8):
        hints.rows(user=alice.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        statements = [sql for (sql,) in cursor.fetchall()]
    assert [sql for sql in statements if '"accounts_apitoken"."scopes"' in sql]
