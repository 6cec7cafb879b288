"""Thread shares: places are taken and counted exactly, and never exceed the threads."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from core.ops import shares


@pytest.fixture(autouse=True)
def as_ever() -> Iterator[None]:
    yield
    shares.divide(shares.THREADS)
    assert not shares._taken


@pytest.mark.parametrize(
    ("threads", "kinds", "expected"),
    [
        (20, ("mail", "deliveries", "sweeps"), {"mail": 6, "deliveries": 8, "sweeps": 6}),
        (40, ("mail", "deliveries", "sweeps"), {"mail": 12, "deliveries": 16, "sweeps": 12}),
        (
            24,
            ("mail", "deliveries", "calendars", "sweeps"),
            {"mail": 6, "deliveries": 8, "calendars": 4, "sweeps": 6},
        ),
        (16, ("deliveries",), {"deliveries": 16}),
        (8, ("mail", "sweeps"), {"mail": 4, "sweeps": 4}),
        (1, ("mail", "deliveries", "sweeps"), {"mail": 1, "deliveries": 1, "sweeps": 1}),
    ],
)
def test_threads_are_divided_among_the_kinds(
    threads: int, kinds: tuple[str, ...], expected: dict[str, int]
) -> None:
    shares.divide(threads, kinds)
    assert {kind: shares.places(kind) for kind in kinds} == expected
    assert {shares.places(kind, 0.01) for kind in kinds} == {1}


def test_each_task_of_beat_has_a_place() -> None:
    """All tasks start at the same moment. With fewer places, one could be refused every time."""
    assert shares.places(shares.SWEEPS) >= len(settings.CELERY_BEAT_SCHEDULE)


def test_a_place_is_held_under_each_of_its_names_or_under_none() -> None:
    with shares.held({"all": 3, "one": 1}) as first, shares.held({"all": 3, "one": 1}) as second:
        assert (first, second) == (True, False)
        with shares.held({"all": 3}) as third, shares.held({"all": 3}) as fourth:
            assert (third, fourth) == (True, True)
            with shares.held({"all": 3}) as fifth:
                assert fifth is False


def test_a_failure_gives_the_place_back() -> None:
    with pytest.raises(ZeroDivisionError), shares.held({"one": 1}):
        raise ZeroDivisionError
    with shares.held({"one": 1}) as is_held:
        assert is_held


def test_however_many_threads_try_no_more_hold_a_place() -> None:
    gate, counting, holders, most = threading.Barrier(16), threading.Lock(), [0], [0]

    def work(_number: int) -> int:
        gate.wait(10)
        found = 0
        for _ in range(200):
            with shares.held({"five": 5}) as is_held:
                if is_held:
                    with counting:
                        holders[0] += 1
                        most[0] = max(most[0], holders[0])
                    found += 1
                    with counting:
                        holders[0] -= 1
        return found

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(work, range(16))) > 0
    assert most[0] <= 5
