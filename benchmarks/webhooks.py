"""Deliveries a second of one worker, to the webhooks of 20 accounts with 100 deliveries each.

On SQLite, or on PostgreSQL and Valkey, where a second worker joins the first. Everything is on this
machine, the receiver too, so on few cores they all share them. Counted from the first arrival to
the last. The receiver answers at once, or after a tenth of a second, as one that is far away: then
16 threads can make 160 a second at the most. The embedded worker has eight.
"""

import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.table import Row, finish
from tests import recipes, wire
from tests.torture.deployment import EMBEDDED_WORKER, deployed

_OWN = ("sweeps", "deliveries")
WEBHOOKS, EACH = 20, 100
LATENCIES = (0.0, 0.1)
_END_SECONDS = 300


def table() -> list[Row]:
    from tests import environment  # noqa: F401  the keys of those that are deployed

    counts = (1,) if EMBEDDED_WORKER else (1, 2)
    rows = []
    for latency in LATENCIES:
        rates = {workers: measure(workers, latency) for workers in counts}
        answered = f"answer after {latency * 1000:.0f} ms" if latency else "answer at once"
        rows += [
            Row(f"webhooks, workers: {workers}, {answered}", rate, "a second")
            for workers, rate in rates.items()
        ]
    return rows


def measure(workers: int, latency: float) -> float:
    """Deliveries a second of so many worker processes that are up and have nothing else to do."""
    with tempfile.TemporaryDirectory(prefix="parley-benchmark-") as name, ExitStack() as stack:
        endpoint = stack.enter_context(wire.endpoint())
        deployment = stack.enter_context(
            deployed(Path(name), WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8")
        )
        (Path(name) / "static").mkdir()
        deployment.manage("migrate", "--verbosity", "0")
        itself = ("-m", "benchmarks.webhooks")
        commands: list[tuple[str, ...]] = [(*itself, "work")]
        if not EMBEDDED_WORKER:
            own = {name: recipes.by_python(recipes.command(name), port=0) for name in _OWN}
            commands = [own["sweeps"], *[own["deliveries"]] * workers]
        for command in commands:
            stack.enter_context(deployment.running(*command))

        def fill(count: int) -> None:
            with deployment.running(*itself, "fill", endpoint.url, str(count)) as filling:
                filling.process.wait(_END_SECONDS)
                assert filling.process.returncode == 0, filling.output

        fill(1)  # until each of the webhooks was told something, the workers may be starting
        endpoint.wait_for(WEBHOOKS, seconds=60)
        time.sleep(3)

        def answer(call: wire.Call) -> tuple[int, dict[str, str], bytes]:
            time.sleep(latency)
            return 200, {}, b""

        endpoint.answer = answer
        endpoint.received.clear()
        fill(EACH)
        calls = endpoint.wait_for(WEBHOOKS * EACH, seconds=_END_SECONDS)
        assert len({call.message_id for call in calls}) == len(calls)
        return (len(calls) - 1) / (calls[-1].at - calls[0].at)


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
    """The embedded worker, without a server beside it."""
    from config.worker import EmbeddedWorker

    EmbeddedWorker().start()
    threading.Event().wait(_END_SECONDS)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if not arguments:
        finish(table())
    else:
        import django

        django.setup()
        work() if arguments == ["work"] else fill(arguments[1], int(arguments[2]))
