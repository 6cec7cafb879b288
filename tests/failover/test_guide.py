"""Commands of docs/ha.md, in its order, on private servers."""

import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import services, wire
from tests.failover.cluster import is_synchronous

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/ha.md").read_text()
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
        fence, promote = lines("Promotion and fencing")
        shell(primary, fence, main=f"{primary.directory}/data")
        assert primary.process.wait(timeout=30) == 0
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
    assert rows(port, "SHOW lock_timeout") == [("10s",)]
    assert rows(port, "SHOW idle_in_transaction_session_timeout") == [("1min",)]


def block(first: str) -> str:
    """Return the indented block of the guide that begins with this text."""
    start = GUIDE.index(f"\n    {first}") + 1
    rest = GUIDE[start:].split("\n")
    return "".join(f"{line[4:]}\n" for line in itertools.takewhile(str.strip, rest))


def test_pgbouncer_asks_for_the_password_and_migrations_go_past_it(
    primary: services.PostgreSQL, tmp_path: Path
) -> None:
    if not services.pgbouncer_program():
        pytest.skip("no pgbouncer on this machine")
    server_port = primary.address.partition(":")[2]
    with psycopg.connect(primary.url, autocommit=True) as session:
        session.execute("ALTER ROLE parley PASSWORD 'password'")
        session.execute("CREATE DATABASE parley")
    rules = primary.directory / "data/pg_hba.conf"
    rules.write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    shell(primary, "pg_ctl reload --pgdata=data")

    port = str(services.free_port())
    lines_of_settings = block("DATABASE_URL=postgres://parley:password@127").splitlines()
    settings = dict(line.replace("6432", port).split("=") for line in lines_of_settings)
    here = os.environ | settings
    direct = tmp_path / "direct.env"
    direct.write_text(block("DATABASE_URL='").replace("db1:5432", primary.address))
    drop_in = block("[Service]\n    ExecStartPre=").replace("/etc/parley/direct.env", str(direct))
    [line] = re.findall(r"^ExecStartPre=/bin/sh -c '(.*)'$", drop_in, re.MULTILINE)
    line = line.replace("/opt/parley/.venv/bin/python", sys.executable)
    # PgBouncer does not run yet.
    subprocess.run(["/bin/sh", "-c", line], cwd=ROOT, env=here, check=True)

    files = {
        "pgbouncer.ini": block("[databases]")
        .replace("host=db1 port=5432", f"host=127.0.0.1 port={server_port}")
        .replace("6432", port)
        .replace("/etc/pgbouncer/userlist.txt", "userlist.txt")
        + "unix_socket_dir =\n",
        "userlist.txt": block('"parley" "'),
    }
    with services.pgbouncer_of(files, settings["DATABASE_URL"]) as pooler:
        check = [sys.executable, "manage.py", "migrate", "--check"]
        subprocess.run(check, cwd=ROOT, env=here, check=True)
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(pooler.url.replace("password", "wrong"))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_systemd_takes_the_drop_in(tmp_path: Path) -> None:
    unit, drop_in = tmp_path / "parley-web.service", tmp_path / "parley-web.service.d/direct.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(block("[Service]\n    ExecStartPre="))
    unit.write_text((ROOT / "deploy/parley-web.service").read_text())
    for file in (unit, drop_in):
        programs = f"{Path(sys.executable).parent}/"
        file.write_text(file.read_text().replace("/opt/parley/.venv/bin/", programs))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if "parley-web" in line] == []


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
