"""Hostile clients beside an ordinary user, who hardly notices them.

Each row of the table is one kind of hostile client. The test compares the 95th percentile of the
user's times without and with them. They may differ by a factor of three at most.
"""

from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.torture import beset
from tests.torture.beset import ACTS, STRANGERS, Place, Seconds, percentile95
from tests.torture.conftest import FULL, Report, sized

pytestmark = [pytest.mark.torture, pytest.mark.alone, pytest.mark.both, pytest.mark.beset]

_FACTOR = 3
# Taken for the quiet percentile where that is smaller: no one feels three times as much.
_FLOORS = {
    "health": 0.05,
    "request": 0.05,
    "booking": 0.05,
    "mail": 0.25,
    "delivery": 0.25,
    "calendar": settings.SWEEP_SECONDS,
}
# More than a server was ever content with by mistake.
_CONNECTIONS = 200 if FULL else 80
# The strangers are there in each round; a neighbour on the machine is not.
_ROUNDS = 3


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with beset.place(tmp_path_factory.mktemp("beset")) as place:
        yield place


@pytest.mark.parametrize("kind", STRANGERS)
def test_strangers_hardly_disturb(place: Place, report: Report, kind: str) -> None:
    times = sized(100)
    acts = list(ACTS)
    if kind == "dripping mail server":  # it takes all mail with it, and must only not take more
        acts.remove("mail")
    if kind != "slow calendar servers":  # a sweep hands a calendar out, which takes seconds
        acts.remove("calendar")
    with report.line(f"strangers: {kind}", f"{_CONNECTIONS}, {times} times") as findings:
        for _round in range(_ROUNDS):
            quiet = percentiles([place.use(acts=acts) for _ in range(times)])
            place.settle()
            with STRANGERS[kind](place, _CONNECTIONS):
                beside = percentiles([place.use(acts=acts) for _ in range(times)])
            place.settle()
            for act in acts:
                findings[act] = f"{quiet[act] * 1000:.0f} -> {beside[act] * 1000:.0f} ms"
            late = [act for act in acts if beside[act] > _FACTOR * max(quiet[act], _FLOORS[act])]
            if not late:
                break
        assert late == [], findings
    assert place.ended() == []


def percentiles(samples: list[Seconds]) -> dict[str, float]:
    return {act: percentile95([sample[act] for sample in samples]) for act in samples[0]}
