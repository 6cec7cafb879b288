"""The embedded worker: Celery's worker and beat as threads of the process that serves.

The broker is in memory, so both must live where the tasks are sent from. Nothing is lost when the
process dies: the rows in the database say what is left to do.
"""

import threading

from celery.beat import EmbeddedService
from celery.worker import WorkController

from config.celery import app

_CONCURRENCY = 4
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
        # Celery takes a scheduler that keeps a file in the working directory unless told otherwise.
        self._beat = EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler)
        self._worker = threading.Thread(target=self._controller.start, name="worker", daemon=True)

    def start(self) -> None:
        self._worker.start()
        self._beat.start()

    def wait_until_ready(self) -> bool:
        """Whether the worker takes tasks by now or does so in a moment."""
        return self._ready.wait(_START_SECONDS)

    def stop(self) -> None:
        """Finish the tasks in hand and end."""
        self.wait_until_ready()
        self._controller.stop()
        self._beat.stop()
        self._worker.join()
