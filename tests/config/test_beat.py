"""Beat, the clock of the sweeps: it ignores the wall clock and survives failed sends."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
import time_machine
from celery.beat import ScheduleEntry
from kombu.exceptions import OperationalError

from config.beat import MonotonicScheduler
from config.celery import app
from tests.core.lines import written
from tests.wire import until

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Recording(MonotonicScheduler):
    """Scheduler that sends nothing. It records the name and time of each task it would send."""

    def setup_schedule(self) -> None:
        self.began = time.monotonic()
        super().setup_schedule()
        self.sent: list[tuple[str, float]] = []
        self.fails = False

    def apply_entry(self, entry: ScheduleEntry, producer: object = None) -> None:
        if self.fails:
            raise OperationalError
        self.sent.append((str(entry.name), time.monotonic()))


@pytest.fixture
def beat() -> Iterator[Recording]:
    often = {
        name: {"task": name, "schedule": seconds}
        for name, seconds in {"often": 0.02, "seldom": 0.1, "daily": 86_400.0}.items()
    }
    with patch.dict(app.conf.beat_schedule, often, clear=True):
        yield Recording(app)


def goes_on(beat: Recording, *, count: int = 5) -> bool:
    """Tell whether beat sends `count` more tasks within ten seconds."""
    wanted = len(beat.sent) + count

    def tick() -> bool:
        assert 0 <= beat.tick() <= 1
        return len(beat.sent) >= wanted

    return until(tick, seconds=10, what="what beat sends")


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_moved_stops_and_hurries_nothing(beat: Recording, hours: int) -> None:
    with time_machine.travel(NOW) as clock:
        assert goes_on(beat)
        clock.move_to(NOW + timedelta(hours=hours))
        assert goes_on(beat)
    moments = [at for name, at in beat.sent if name == "often"]
    assert len(moments) * 0.02 <= moments[-1] - beat.began
    assert {name for name, _at in beat.sent} <= {"often", "seldom"}


def test_what_cannot_be_sent_stops_it_for_a_moment(beat: Recording) -> None:
    beat.fails = True
    with written("config.beat") as said:
        until(lambda: beat.tick() == 1 and "event=beat_failed" in said.getvalue())
    assert beat.sent == []
    beat.fails = False
    assert goes_on(beat)


def test_it_is_the_scheduler_of_every_beat() -> None:
    assert app.conf.beat_scheduler == "config.beat:MonotonicScheduler"
    assert app.conf.beat_max_loop_interval == 1
