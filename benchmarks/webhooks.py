"""Deliveries a second of one worker, to webhooks with 100 deliveries each, an account for each.

On SQLite, or on PostgreSQL and Valkey, where a second worker joins the first. Everything is on this
machine, the receiver too, so on few cores they all share them. Counted from the first arrival to
the last. The receiver answers at once, or after a tenth of a second, as one that is far away.

Bounds, for one worker of production: at least a third of the rate of a loop of `http.client` that
opens a connection for each POST, asked in turn with it; and seven tenths of what four deliveries at
once to each webhook can make.
"""

import http.client
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.receiver import Receiver, receiver
from benchmarks.table import Row, finish
from tests import recipes
from tests.torture.deployment import EMBEDDED_WORKER, Deployment, deployed

_OWN = ("sweeps", "deliveries")
_ITSELF = ("-m", "benchmarks.webhooks")
WEBHOOKS, EACH, AT_ONCE = 20, 100, 4
LATENCY, ROUNDS = 0.1, 3
TIMES_BARE, TIMES_CEILING = 1 / 3, 0.7
_END_SECONDS = 300


@dataclass(frozen=True)
class Place:
    """Workers that are up and have nothing else to do, and the receiver of all their webhooks."""

    deployment: Deployment
    receiver: Receiver

    def deliver(self, latency: float = 0.0) -> float:
        """Return the deliveries a second to a receiver that answers after so many seconds."""
        self.receiver.latency = latency
        self.fill(EACH)
        assert self.receiver.requests == len(self.receiver.arrivals)
        return self.receiver.rate

    def fill(self, count: int) -> None:
        """Let so many deliveries wait for each of the webhooks, until all of them have come."""
        self.receiver.forget()
        self._run("fill", self.receiver.url, str(count))
        self.receiver.wait_for(WEBHOOKS * count, seconds=_END_SECONDS)

    def bare(self) -> float:
        """Return the requests a second of the bare loop."""
        self.receiver.latency = 0.0
        return float(self._run("post", self.receiver.url, str(WEBHOOKS * EACH)))

    def _run(self, *arguments: str) -> str:
        with self.deployment.running(*_ITSELF, *arguments) as running:
            running.process.wait(_END_SECONDS)
            assert running.process.returncode == 0, running.output
            return running.output


def table() -> Iterator[Row]:
    from tests import environment  # noqa: F401  the keys of those that are deployed

    bare = one = 0.0
    with working() as place:
        for _round in range(ROUNDS):
            bare, one = max(bare, place.bare()), max(one, place.deliver())
        yield _ratio("webhooks: one worker to bare POSTs", one / bare, TIMES_BARE)
        yield Row("bare POSTs, a connection each", bare, "a second")
        yield Row("webhooks, 1 worker, answer at once", one, "a second")
        far = max(place.deliver(LATENCY) for _round in range(ROUNDS))
        ceiling = AT_ONCE * WEBHOOKS / LATENCY
        yield _ratio(
            "webhooks, 100 ms: one worker to four at once each", far / ceiling, TIMES_CEILING
        )
        yield Row("webhooks, 1 worker, 100 ms", far, "a second")
    if not EMBEDDED_WORKER:
        with working(workers=2) as place:
            yield Row("webhooks, 2 workers, answer at once", place.deliver(), "a second")
            yield Row("webhooks, 2 workers, 100 ms", place.deliver(LATENCY), "a second")


def _ratio(name: str, figure: float, bound: float) -> Row:
    # The embedded worker has half as many threads for deliveries.
    return Row(name, figure, "times", None if EMBEDDED_WORKER else bound, least=True)


@contextmanager
def working(*, workers: int = 1) -> Iterator[Place]:
    """Run so many worker processes, of which each webhook has been told something."""
    with tempfile.TemporaryDirectory(prefix="parley-benchmark-") as name, ExitStack() as stack:
        made = stack.enter_context(receiver())
        deployment = stack.enter_context(
            deployed(Path(name), WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8")
        )
        (Path(name) / "static").mkdir()
        deployment.manage("migrate", "--verbosity", "0")
        commands: list[tuple[str, ...]] = [(*_ITSELF, "work")]
        if not EMBEDDED_WORKER:
            own = {name: recipes.by_python(recipes.command(name), port=0) for name in _OWN}
            commands = [own["sweeps"], *[own["deliveries"]] * workers]
        for command in commands:
            stack.enter_context(deployment.running(*command))
        place = Place(deployment, made)
        place.fill(1)
        time.sleep(3)
        yield place


def fill(url: str, count: int) -> None:
    """Let so many deliveries wait for each of the webhooks, in one transaction."""
    from django.db import transaction
    from django.utils import timezone

    from accounts.models import User
    from tests import factories
    from webhooks.models import Webhook

    now = timezone.now()
    with transaction.atomic():
        if not Webhook.objects.exists():
            for number in range(WEBHOOKS):  # one each: an account has a share of the threads
                owner = User.objects.create_user(f"owner{number}@example.com")
                factories.webhook(owner, url=url)
        for webhook in Webhook.objects.all():
            for _ in range(count):
                factories.delivery(webhook, now=now)


def work() -> None:
    """Run the embedded worker, without a server beside it."""
    from config.worker import EmbeddedWorker

    EmbeddedWorker().start()
    threading.Event().wait(_END_SECONDS)


def post(url: str, count: int) -> None:
    """Print how many POSTs a second a loop makes that opens a connection for each."""
    target = urlsplit(url)
    began = time.monotonic()
    for _ in range(count):
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
        connection.request("POST", target.path, b"x" * 500)
        connection.getresponse().read()
        connection.close()
    print(count / (time.monotonic() - began))


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            finish(table())
        case ["post", url, count]:
            post(url, int(count))
        case arguments:
            import django

            django.setup()
            work() if arguments == ["work"] else fill(arguments[1], int(arguments[2]))
