"""Commands of docs/ha.md, in its order, on private servers."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import services, wire
from tests.failover.cluster import is_synchronous

GUIDE = (Path(__file__).resolve().parents[2] / "docs/ha.md").read_text()
pytestmark = [pytest.mark.failover, pytest.mark.both]

_MAIN = "/var/lib/postgresql/15/main"
_ARCHIVE = "/var/lib/postgresql/archive"


def lines(part: str) -> list[str]:
    """Return the commands of a part of the guide."""
    text = GUIDE.partition(f"\n## {part}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^ {4,}((?:psql|pg_\w+|cp|chmod|echo|touch) .*)$", text, re.MULTILINE)
    return [str(line) for line in found]


@pytest.fixture
def primary() -> Iterator[services.PostgreSQL]:
    with services.postgresql("--synchronous_commit=on") as server:
        yield server


def shell(server: services.PostgreSQL, line: str, **folders: str) -> None:
    """Run a line as the account of this server, with its programs and its address."""
    host, _colon, port = server.address.partition(":")
    line = line.replace("host=db1 port=5432", f"host={host} port={port}")
    for folder, own in ((_MAIN, folders.get("main")), (_ARCHIVE, folders.get("archive"))):
        line = line.replace(folder, own or folder)
    port = folders.get("port", port)
    server.shell(line, PGHOST=host, PGPORT=port, PGUSER="parley", PGDATABASE="postgres")


def start(folder: str, port: int) -> str:
    """Return the options with which `pg_ctl start` runs a server of the tests."""
    own = f"--max_connections=300 --port={port} --listen_addresses=127.0.0.1"
    return f"--log={folder}.log --options='{own} --unix_socket_directories='"


def rows(port: str | int, query: str) -> list[tuple[object, ...]]:
    url = f"postgres://parley@127.0.0.1:{port}/postgres"
    with psycopg.connect(url, autocommit=True) as session:
        return session.execute(query.encode()).fetchall()


def test_a_standby_that_takes_over(primary: services.PostgreSQL) -> None:
    port, main = services.free_port(), f"{primary.directory}/standby"
    *on_db1, base, started, waits, reload_, look, alone, again = lines("Synchronous standby")
    assert len(on_db1) == 2
    for line in on_db1:
        shell(primary, line)
    shell(primary, base, main=main)
    shell(primary, f"{started} {start(main, port)}", main=main)
    try:
        for line in (waits, reload_, look):
            shell(primary, line)
        wire.until(lambda: is_synchronous(primary), what="a synchronous standby")
        with psycopg.connect(primary.url) as session:
            session.execute("CREATE TABLE kept AS SELECT 1")
        primary.kill()
        [promote] = lines("Promotion and fencing")
        shell(primary, promote, main=main)
        assert rows(port, "SELECT pg_is_in_recovery()") == [(False,)]
        assert rows(port, "SELECT * FROM kept") == [(1,)]
        for line in (waits, alone, again):
            shell(primary, line, port=str(port))
        assert rows(port, "SHOW synchronous_standby_names") == [("",)]
    finally:
        shell(primary, f"pg_ctl stop --mode=immediate --pgdata={main}")


def test_the_role_has_the_bounds(primary: services.PostgreSQL) -> None:
    bounds = lines("PgBouncer")
    assert len(bounds) == 3
    for line in bounds:
        shell(primary, line)
    port = primary.address.partition(":")[2]
    assert rows(port, "SHOW statement_timeout") == [("30s",)]
    assert rows(port, "SHOW idle_in_transaction_session_timeout") == [("1min",)]


def test_back_to_a_moment(primary: services.PostgreSQL) -> None:
    port = primary.address.partition(":")[2]
    archive, main = f"{primary.directory}/archive", f"{primary.directory}/restored"
    *archiving, base, copied, mode, restore, moment, action, off, signal, started = lines(
        "Point-in-time recovery"
    )
    shell(primary, f"mkdir {archive}")
    for line in archiving:
        shell(primary, line, archive=archive)
    primary.kill()
    primary.start()
    shell(primary, base, archive=archive)
    with psycopg.connect(primary.url) as session:
        session.execute("CREATE TABLE kept AS SELECT 1 AS number")
    [[before]] = rows(port, "SELECT now()::text")
    time.sleep(1)
    with psycopg.connect(primary.url) as session:
        session.execute("DELETE FROM kept")
    rows(port, "SELECT pg_switch_wal()")
    archived = "SELECT archived_count > 1 AND last_archived_wal IS NOT NULL FROM pg_stat_archiver"
    wire.until(lambda: rows(port, archived) == [(True,)], what="the archive")
    primary.kill()

    place, own = services.free_port(), {"archive": archive, "main": main}
    moment = re.sub(r"'\d{4}-.*?'", f"'{before}'", moment)
    for line in (copied, mode, restore, moment, action, off, signal):
        shell(primary, line, **own)
    shell(primary, f"{started} {start(main, place)}", **own)
    try:
        wire.until(
            lambda: rows(place, "SELECT pg_is_in_recovery()") == [(False,)], what="the promotion"
        )
        assert rows(place, "SELECT number FROM kept") == [(1,)]
    finally:
        shell(primary, f"pg_ctl stop --mode=immediate --pgdata={main}")
