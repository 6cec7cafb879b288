"""The clock of the sweeps: each task of `CELERY_BEAT_SCHEDULE` at its interval."""

import time
from typing import Any

import structlog
from celery.beat import Scheduler

log = structlog.get_logger(__name__)


class MonotonicScheduler(Scheduler):
    """A scheduler of intervals that never looks at the wall clock.

    Celery's own compares wall clocks: one that steps back an hour stops it for an hour. The first
    run is one interval after the start, as Celery's is.
    """

    def setup_schedule(self) -> None:
        self.merge_inplace(self.app.conf.beat_schedule)
        self._due = {name: self._next(entry) for name, entry in self.schedule.items()}

    def tick(self, *_: Any, **__: Any) -> float:
        """Send what is due; return the seconds until the next look, `max_interval` at most."""
        most = float(self.max_interval or 1)
        try:
            for name, entry in self.schedule.items():
                if self._due[name] <= time.monotonic():
                    self._due[name] = self._next(entry)
                    self.apply_entry(entry, producer=self.producer)
        except Exception:
            # A broker that cannot be reached, say. Without a beat there would be no sweep at all.
            log.exception("beat_failed")
            return most
        wait = min(self._due.values(), default=float("inf")) - time.monotonic()
        return min(max(wait, 0.0), most)

    def _next(self, entry: Any) -> float:
        interval: float = entry.schedule.run_every.total_seconds()
        return time.monotonic() + interval
