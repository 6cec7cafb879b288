"""Benchmark of retention: what a run forgets, and how long bookings wait meanwhile.

On each database, bookings of the past have left messages: notifications, and webhook events with a
delivery and an attempt each. Retention forgets them for some seconds, while a client books. Then it
forgets the invitees of other bookings together with their messages.

Bounds: the runs by beat can forget at least as many messages as 50 bookings a second leave, and at
least 50 invitees a second. No booking waits for more than a second meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.places import do
from benchmarks.table import Row, finish
from tests import environment  # noqa: F401  keys, and limits that are in nobody's way
from tests.torture.deployment import Deployment, deployed

BOOKINGS, SECONDS = 3_000, 5.0
A_SECOND, MINUTE = 50, 60.0
WAIT_SECONDS = 1.0


def table() -> Iterator[Row]:
    for name, url in (("PostgreSQL", True), ("SQLite", False)):
        with _place(has_url=url) as deployment:
            found = do(deployment, "forgetting.run", BOOKINGS, SECONDS)
        part = found["run"] / MINUTE / A_SECOND
        what = f"retention, {name}"
        yield Row(
            f"{what}: messages, to 50 bookings/s",
            found["messages"] * part / found["left"],
            "times",
            1.0,
            least=True,
        )
        yield Row(
            f"{what}: invitees, to 50 bookings/s",
            found["invitees"] * part,
            "times",
            1.0,
            least=True,
        )
        yield Row(
            f"{what}: the longest wait of a booking", max(found["meanwhile"]), "s", WAIT_SECONDS
        )
        yield Row(f"{what}: the middle wait", median(found["meanwhile"]) * 1000, "ms")
        yield Row(f"{what}: the middle wait before", median(found["before"]) * 1000, "ms")
        yield Row(f"{what}: messages", found["messages"], "a second")
        yield Row(f"{what}: invitees", found["invitees"], "a second")
        yield Row(f"{what}: messages of a booking", found["left"], "rows")


@contextmanager
def _place(*, has_url: bool) -> Iterator[Deployment]:
    """Yield a deployment on PostgreSQL, or on SQLite as `make run` has it."""
    with TemporaryDirectory(prefix="parley-benchmark-") as name, deployed(Path(name)) as deployment:
        if not has_url:
            del deployment.environment["DATABASE_URL"]
        deployment.manage("migrate", "--verbosity", "0")
        yield deployment


if __name__ == "__main__":
    finish(table())
