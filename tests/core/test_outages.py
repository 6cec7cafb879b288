"""Database that goes away: callers learn when to ask again, and the next request connects anew."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import InternalError, OperationalError, connection, connections, transaction
from django.test import Client

from accounts.models import User
from core.db import outages
from core.db.postgresql import bounds
from core.ops import environment, telemetry
from tests import factories, services
from tests.core.lines import written

of_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL alone")


# --- what callers are answered ----------------------------------------------------------------


@contextmanager
def without_database() -> Iterator[None]:
    """Have the database refuse each statement of this thread, as one that is away does."""

    def refuse(*_: object) -> None:
        error = OperationalError("the database is away")
        error.__cause__ = _Locked()
        raise error

    with connection.execute_wrapper(refuse):
        yield


class _Locked(Exception):
    sqlite_errorcode = 5


def test_the_api_says_when_to_ask_again(alice: User) -> None:
    client = factories.client(alice)
    client.raise_request_exception = False
    with written("core.web.crashes") as said, without_database():
        answers = [client.get("/api/v1/events"), client.get("/api/v3/meeting/list")]
    for answer in answers:
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    v1, v3 = (answer.json() for answer in answers)
    sentence = "This is not possible for the moment. Try again later."
    assert (v1["error"], v1["message"], v1["status_code"]) == ("unavailable", sentence, 503)
    assert v3 == {"error": 503, "message": sentence}
    assert said.getvalue().count("level=warning event=database_away error=OperationalError") == 2


def test_an_outage_makes_no_report() -> None:
    """Each request of an outage would make one."""
    away = OperationalError("the database is away")
    away.__cause__ = _Locked()
    assert telemetry._clean_error({}, {"exc_info": (type(away), away, None)}) is None
    crash = ValueError()
    assert telemetry._clean_error({}, {"exc_info": (type(crash), crash, None)}) is not None
    assert telemetry._clean_error({}, {}) is not None


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/alice"])
def test_a_page_says_so_in_words(db: None, alice: User, path: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    with without_database():
        page = client.get(path)
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    text = page.content.decode()
    assert "This is not possible for the moment" in text
    # An answer to COMMIT that is lost leaves it open whether the row is there.
    assert "we do not know whether it was saved" in text


@pytest.mark.django_db
def test_a_wrong_statement_is_a_crash() -> None:
    with pytest.raises(Exception, match="nowhere") as crash, transaction.atomic():
        connection.cursor().execute("SELECT * FROM nowhere")
    assert not outages.is_outage(crash.value)


@of_postgresql
@pytest.mark.django_db
def test_a_statement_beyond_a_fixed_limit_is_a_crash() -> None:
    """The same request would fail for ever."""
    columns = ", ".join(f"c{number} int" for number in range(1_601))
    with pytest.raises(OperationalError) as crash, transaction.atomic():
        connection.cursor().execute(f"CREATE TEMPORARY TABLE wide ({columns})")
    assert not outages.is_outage(crash.value)


@of_postgresql
@pytest.mark.django_db
def test_a_statement_that_takes_too_long_is_an_outage() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 20")
        with pytest.raises(OperationalError) as ended:
            cursor.execute("SELECT pg_sleep(10)")
        transaction.set_rollback(True)
    assert outages.is_outage(ended.value)


@of_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_to_a_standby_is_dropped() -> None:
    cursor = connection.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    before = cursor.fetchone()
    cursor.execute("SET default_transaction_read_only = on")
    with pytest.raises(InternalError) as refused:
        cursor.execute("CREATE TABLE anything ()")
    assert outages.is_outage(refused.value)
    connection.close_if_unusable_or_obsolete()  # as every request ends
    cursor = connection.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    assert cursor.fetchone() != before


@of_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "patience", lambda: 0.1)
    connection.close()
    connection.ensure_connection()
    began = time.monotonic()
    with pytest.raises(OperationalError) as given_up:
        connection.cursor().execute("SELECT pg_sleep(5)")
    assert time.monotonic() - began < 2
    assert outages.is_outage(given_up.value)
    assert not connection.is_usable()
    connection.close()


# --- for how long a statement may run ---------------------------------------------------------


def shown() -> dict[str, str]:
    """Return the bounds that the server keeps for a new connection."""
    connection.close()
    found = {}
    with connection.cursor() as cursor:
        for name in configured.DATABASE_BOUNDS:
            cursor.execute(f"SHOW {name}")
            [found[name]] = cursor.fetchone()
    connection.close()
    return found


@of_postgresql
@pytest.mark.django_db(transaction=True)
def test_requests_and_tasks_have_bounds_and_commands_have_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "_is_kept", False)
    assert set(shown().values()) == {"0"}
    assert bounds.patience() is None
    monkeypatch.setattr(bounds, "_is_kept", True)
    assert shown() == {
        "statement_timeout": "30s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "1min",
    }
    assert bounds.patience() == 35
    own = dict(connection.settings_dict["OPTIONS"], options="-c statement_timeout=7s")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", own)
    assert shown()["statement_timeout"] == "7s"  # the URL's own option wins


def read_settings(**variables: str) -> dict[str, Any]:
    """Return `DATABASES["default"]` as a start with these variables reads it."""
    script = "import json, config.settings as s; print(json.dumps(s.DATABASES['default']))"
    secrets = {"SECRET_KEY": "s" * 64, "ENCRYPTION_KEYS": environment.new_encryption_key()}
    read = subprocess.run(
        [sys.executable, "-c", script],
        cwd=configured.BASE_DIR,
        env={
            "PATH": os.environ["PATH"],
            "DATA_DIR": os.environ["DATA_DIR"],
            **secrets,
            **variables,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    settings: dict[str, Any] = json.loads(read.stdout)
    return settings


@pytest.mark.look
def test_options_of_the_address_win_over_the_defaults() -> None:
    usual = {
        "connect_timeout": 3,
        "tcp_user_timeout": 5000,
        "keepalives_idle": 5,
        "keepalives_interval": 1,
        "server_side_binding": True,
        "prepare_threshold": 5,
    }
    url = "postgres://u:p@a,b:5433/x?target_session_attrs=read-write"
    settings = read_settings(DATABASE_URL=url)
    assert (settings["HOST"], settings["PORT"]) == ("a,b", "5432,5433")
    assert settings["OPTIONS"] == usual | {"target_session_attrs": "read-write"}
    settings = read_settings(
        DATABASE_URL=f"{url}&connect_timeout=9&tcp_user_timeout=800",
        DATABASE_CONNECT_SECONDS="2",
        DATABASE_SILENCE_SECONDS="7",
    )
    assert settings["OPTIONS"] == usual | {
        "target_session_attrs": "read-write",
        "connect_timeout": 9,
        "tcp_user_timeout": 800,
        "keepalives_idle": 7,
    }


@pytest.mark.look
def test_a_pooler_by_transaction_gets_no_prepared_statements() -> None:
    """Not even if the address asks for them: they would return rows of other accounts."""
    settings = read_settings(
        DATABASE_URL="postgres://u:p@a/x?prepare_threshold=1", DATABASE_POOLER="transaction"
    )
    assert settings["OPTIONS"]["prepare_threshold"] is None
    assert settings["DISABLE_SERVER_SIDE_CURSORS"] is True


# --- several hosts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hosts", "host", "port"),
    [
        ("a,b", "a,b", "5432,5432"),
        ("a:5432,b:5433", "a,b", "5432,5433"),
        ("a,b:5433", "a,b", "5432,5433"),
        ("u:p%40,@a:6000,b", "a,b", "6000,5432"),
        ("[2001:db8::1]:5433,[::1],c", "2001:db8::1,::1,c", "5433,5432,5432"),
    ],
)
def test_an_address_names_several_hosts(hosts: str, host: str, port: str) -> None:
    read = environment.database(f"postgres://{hosts}/x?target_session_attrs=read-write")
    assert (read["HOST"], read["PORT"], read["NAME"]) == (host, port, "x")
    assert read["OPTIONS"] == {"target_session_attrs": "read-write"}


@pytest.mark.parametrize(
    "hosts", ["a,", ",b", "a:x,b", "a,b:", "a:1:2,b", "a,,b", "u:p/w@a,b", "u:p/w@a"]
)
def test_a_host_that_is_none_is_refused(hosts: str) -> None:
    with pytest.raises(ValueError, match=r"a host or a port that cannot be read .* %2F"):
        environment.database(f"postgres://{hosts}/x")


def test_an_option_is_kept_as_it_is_written() -> None:
    read = environment.database(
        "postgres://u@a/x?sslpassword=0123&connect_timeout=9&options=-c%20a"
    )
    assert read["OPTIONS"] == {"sslpassword": "0123", "connect_timeout": 9, "options": "-c a"}


@of_postgresql
@pytest.mark.alone
@pytest.mark.django_db
def test_the_primary_is_found_among_the_hosts() -> None:
    """The first host refuses connections, and the second is a standby."""
    with (
        services.postgresql() as primary,
        services.postgresql(copy_of=primary) as standby,
    ):
        nobody = f"127.0.0.1:{services.free_port()}"
        hosts = f"{nobody},{standby.address},{primary.address}"
        url = f"postgres://parley@{hosts}/postgres?target_session_attrs=read-write"
        address = environment.database(url)
        usual = connections.settings["default"]
        found = connection.copy()
        found.settings_dict = usual | address | {"OPTIONS": usual["OPTIONS"] | address["OPTIONS"]}
        try:
            with found.cursor() as cursor:
                cursor.execute("SELECT inet_server_port()")
                assert cursor.fetchone() == (int(primary.address.rpartition(":")[2]),)
        finally:
            with suppress(OperationalError):
                found.close()
