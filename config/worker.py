"""The embedded worker: Celery's worker and beat as threads of the process that serves.

The broker is in memory, so both must run in the process that sends the tasks. Nothing is lost when
the process dies: the rows in the database show what is left to do. A thread that ends is started
again.
"""

import threading
import time
from collections.abc import Callable

import structlog
from celery.beat import Service
from celery.worker import WorkController

from config.celery import app
from core.ops import shares

# How long a stop waits for the worker to have come up: one that is still connecting cannot stop.
_START_SECONDS = 10.0
_POLL_SECONDS = 0.05
# Between the end of a thread and its next start.
_PAUSE_SECONDS = 1.0

log = structlog.get_logger(__name__)


class EmbeddedWorker:
    """A worker and a beat, started together. Each instance is started only once."""

    def __init__(self) -> None:
        self._ready, self._stopping = threading.Event(), threading.Event()
        # Neither can be started twice: when one ends, another is made.
        self._controller, self._beat = self._new_controller(), self._new_beat()
        self._threads = {
            name: threading.Thread(target=self._keep_up, args=(name, run), name=name, daemon=True)
            for name, run in (("worker", self._work), ("beat", self._tick))
        }

    def _new_controller(self) -> WorkController:
        return WorkController(
            app=app,
            pool="threads",
            concurrency=shares.THREADS,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            ready_callback=lambda _consumer: self._ready.set(),
        )

    def _new_beat(self) -> Service:
        # Unless told otherwise, it takes a scheduler that keeps a file in the working directory.
        return Service(app, scheduler_cls=app.conf.beat_scheduler)

    def start(self) -> None:
        for thread in self._threads.values():
            thread.start()

    def _keep_up(self, name: str, run: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                run()
            except (Exception, SystemExit):
                log.exception("thread_failed", thread=name)
            if not self._stopping.is_set():
                log.error("thread_started_again", thread=name)
                self._stopping.wait(_PAUSE_SECONDS)

    def _work(self) -> None:
        try:
            self._controller.start()
        finally:
            self._ready.clear()
            if not self._stopping.is_set():
                self._controller = self._new_controller()

    def _tick(self) -> None:
        try:
            self._beat.start()
        finally:
            self._beat = self._new_beat()

    def wait_until_ready(self) -> bool:
        """Tell whether the worker takes tasks. Waits up to `_START_SECONDS` for it."""
        return self._ready.wait(_START_SECONDS)

    def stop(self) -> None:
        """Finish the tasks that are running, and neither take nor send new ones."""
        self._stopping.set()
        shares.stopping.set()
        self._beat.stop()
        self._threads["beat"].join()
        until = time.monotonic() + _START_SECONDS
        while self._threads["worker"].is_alive() and time.monotonic() < until:
            if self._ready.wait(_POLL_SECONDS):
                self._controller.stop()
                break
        shares.stopping.clear()
