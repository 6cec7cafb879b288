"""PostgreSQL backend: kept connections are checked, and times are in UTC."""

import os
from contextlib import suppress
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from tests import wire

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL alone"),
]


def end(pid: int) -> None:
    """Terminate this server process and wait until the connection fails, as at a server restart."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
        session.execute("SELECT pg_terminate_backend(%s)", [pid])
    wire.until(lambda: not connection.is_usable(), seconds=10, what="the farewell")


def own_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    return int(pid)


def test_a_connection_that_the_server_ended_is_replaced_before_it_is_used(alice: User) -> None:
    before = own_pid()
    assert connection.is_usable()
    end(before)
    connection.close_if_unusable_or_obsolete()  # as every request begins
    assert own_pid() != before


def test_nothing_is_asked_to_see_that_it_is_there() -> None:
    pid = own_pid()
    connection.close_if_unusable_or_obsolete()
    connection.cursor().close()
    assert connection.is_usable()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
        last = session.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid])
        assert last.fetchone() == ("SELECT pg_backend_pid()",)


def test_one_whose_transaction_has_failed_takes_no_query() -> None:
    with transaction.atomic():
        with suppress(DatabaseError):
            connection.cursor().execute("SELECT * FROM nowhere")
        assert not connection.is_usable()
        transaction.set_rollback(True)
    assert connection.is_usable()


def test_a_closed_connection_is_none() -> None:
    connection.close()
    assert not connection.is_usable()
    connection.ensure_connection()
    assert connection.is_usable()


def test_times_are_in_utc(alice: User) -> None:
    moment = datetime(2026, 7, 1, 12, 30, 15, 123456, UTC)
    User.objects.filter(pk=alice.pk).update(created_at=moment)
    [read] = User.objects.values_list("created_at", flat=True)
    assert (read, read.tzinfo, read.microsecond) == (moment, UTC, 123456)
    [streamed] = User.objects.values_list("created_at", flat=True).iterator()
    assert (streamed, streamed.tzinfo) == (moment, UTC)
