"""The embedded worker: Celery's worker and beat as threads of the process that serves.

The broker is in memory, so both must live where the tasks are sent from. Nothing is lost when the
process dies: the rows in the database say what is left to do.
"""

import threading

from celery.beat import EmbeddedService
from celery.worker import WorkController

from config.celery import app

_CONCURRENCY = 4


class EmbeddedWorker:
    """A worker and a beat, started together."""

    def __init__(self) -> None:
        self._controller = WorkController(
            app=app, pool="threads", concurrency=_CONCURRENCY, without_gossip=True,
            without_mingle=True, without_heartbeat=True,
        )  # fmt: skip
        self._beat = EmbeddedService(app, thread=True)
        self._threads = [
            threading.Thread(target=self._controller.start, name="worker", daemon=True),
            self._beat,
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the tasks in hand and end."""
        self._beat.stop()
        self._controller.stop()
