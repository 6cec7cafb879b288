"""Two webs behind a real nginx with deploy/nginx.conf restart one after the other: none fails."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from functools import partial
from http.client import HTTPException, HTTPSConnection
from itertools import count
from pathlib import Path

import pytest

from tests import recipes, services, wire
from tests.tls import Authority
from tests.torture.deployment import EMBEDDED_WORKER, ROOT, Running
from tests.torture.served import Served, answers, event, in_a_month, served

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
SITE = "parley.example"
# What compose.yaml and the unit give to requests in hand.
STOP_SECONDS = 35
LEAST = 1_000
CLIENTS = 6
POST_EVERY = 4
REQUESTS_A_CONNECTION = 20

pytestmark = [
    pytest.mark.failover,
    pytest.mark.alone,
    pytest.mark.both,
    pytest.mark.skipif(EMBEDDED_WORKER, reason="one process serves on SQLite"),
    pytest.mark.skipif(not NGINX, reason="there is no nginx (Debian: nginx-light)"),
]

_MAIN = """
daemon off;
pid nginx.pid;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    include parley.conf;
}}
"""


@contextmanager
def nginx(folder: Path, webs: Sequence[int]) -> Iterator[int]:
    """Run nginx with the shipped file, other ports, certificates and paths. Yield its port."""
    port, plain_port = services.free_port(), services.free_port()
    certificate = Authority(folder).certificate(SITE)
    lines = (ROOT / "deploy/nginx.conf").read_text().splitlines()
    shipped = "\n".join(line for line in lines if "listen [::]" not in line)
    example = "    # server 192.0.2.8:8000 max_fails=0;"
    first, second = webs
    for written, here in {
        example: example.replace("# ", "").replace("192.0.2.8:8000", f"127.0.0.1:{second}"),
        "server 127.0.0.1:8000 ": f"server 127.0.0.1:{first} ",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "/var/log/nginx": str(folder),
        f"/etc/letsencrypt/live/{SITE}/fullchain.pem": str(certificate),
        f"/etc/letsencrypt/live/{SITE}/privkey.pem": str(certificate),
    }.items():
        assert written in shipped
        shipped = shipped.replace(written, here)
    (folder / "parley.conf").write_text(shipped)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(user=user))
    log = folder / "nginx.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(NGINX), "-p", str(folder), "-c", "nginx.conf", "-e", str(log)],
            stdout=output,
            stderr=output,
        )
    try:
        wire.until(lambda: is_open(port) or process.poll() is not None, what="nginx")
        assert process.poll() is None, log.read_text()
        yield port
    finally:
        process.terminate()
        process.wait(10)


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Load:
    """Clients that read and book without a pause until they are stopped."""

    def __init__(self, parley: Served, port: int, authority: Path) -> None:
        self._parley, self._port = parley, port
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.check_hostname = False  # the name is in the Host header alone
        self._numbers, self._stopped = count(), threading.Event()
        self._lock = threading.Lock()
        self.outcomes: Counter[tuple[str, int | str]] = Counter()

    @property
    def total(self) -> int:
        return sum(self.outcomes.values())

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [
            threading.Thread(target=self._run, args=(token,))
            for token in self._parley.tokens[:CLIENTS]
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()

    def _run(self, token: str) -> None:
        while not self._stopped.is_set():
            with closing(
                HTTPSConnection("127.0.0.1", self._port, timeout=60, context=self._context)
            ) as connection:
                for _time in range(REQUESTS_A_CONNECTION):
                    self._ask(connection, token)

    def _ask(self, connection: HTTPSConnection, token: str) -> None:
        number = next(self._numbers)
        headers = {"Host": SITE, "Authorization": f"Bearer {token}"}
        method, path, body = "GET", "/api/v1/events?limit=1", b""
        if number % POST_EVERY == 0:
            start = in_a_month() + timedelta(minutes=15 * (number // POST_EVERY))
            method, path = "POST", "/api/v1/events"
            body = event(self._parley.event_types[0], start)
            headers["Content-Type"] = "application/json"
        outcome: int | str
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.read()
            outcome = response.status
        except (OSError, HTTPException) as error:
            connection.close()
            outcome = type(error).__name__
        with self._lock:
            self.outcomes[method, outcome] += 1


def restart(parley: Served, server: Running, port: int, stack: ExitStack) -> Running:
    """Stop a web as systemd and Docker do, and start it again at the same port."""
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(STOP_SECONDS) == 0
    command = recipes.by_python(recipes.command("web"), port=port)
    again = stack.enter_context(parley.deployment.running(*command, PORT=str(port)))
    wire.until(partial(answers, port), seconds=60, what=again.output)
    return again


def test_no_request_fails_while_two_webs_restart_one_after_the_other(tmp_path: Path) -> None:
    with ExitStack() as stack:
        parley = stack.enter_context(
            served(
                tmp_path,
                offers=[{"duration": 15, "slot_interval": 15, "max_advance_booking": 700}],
                PUBLIC_URL=f"https://{SITE}",
                TRUSTED_PROXIES="1",
            )
        )
        port = stack.enter_context(nginx(tmp_path, parley.ports))
        load = Load(parley, port, tmp_path / "authority.pem")
        servers = dict(zip(parley.ports, parley.servers, strict=True))
        with load.running():
            while load.total < LEAST:
                for web, server in servers.items():
                    servers[web] = restart(parley, server, web, stack)
        assert load.total >= LEAST
        assert set(load.outcomes) == {("GET", 200), ("POST", 201)}
        # Each booking that was acknowledged is there once.
        booked = parley.deployment.rows("SELECT count(*) FROM scheduling_booking")
        assert booked == [(load.outcomes["POST", 201],)]
