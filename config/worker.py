"""The embedded worker: Celery's worker and beat as threads of the process that serves.

The broker is in memory, so both must live where the tasks are sent from. Nothing is lost when the
process dies: the rows in the database say what is left to do.
"""

import threading

from celery.beat import Service
from celery.worker import WorkController

from config.celery import app

# Threads that mostly wait for others: a webhook that hangs holds four of them for 30 seconds.
_CONCURRENCY = 16
# How long a stop waits for the worker to have come up: one that is still connecting cannot stop.
_START_SECONDS = 10.0


class EmbeddedWorker:
    """A worker and a beat, started together. An instance is started once."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._controller = WorkController(
            app=app, pool="threads", concurrency=_CONCURRENCY, without_gossip=True,
            without_mingle=True, without_heartbeat=True,
            ready_callback=lambda _consumer: self._ready.set(),
        )  # fmt: skip
        # Unless told otherwise, it takes a scheduler that keeps a file in the working directory.
        self._beat = Service(app, max_interval=1, scheduler_cls=app.conf.beat_scheduler)
        self._threads = {
            name: threading.Thread(target=start, name=name, daemon=True)
            for name, start in (("worker", self._controller.start), ("beat", self._beat.start))
        }

    def start(self) -> None:
        for thread in self._threads.values():
            thread.start()

    def wait_until_ready(self) -> bool:
        """Whether the worker takes tasks by now or does so in a moment."""
        return self._ready.wait(_START_SECONDS)

    def stop(self) -> None:
        """Finish the tasks in hand, and take and send no more."""
        self.wait_until_ready()
        self._beat.stop()
        self._threads["beat"].join()
        self._controller.stop()
