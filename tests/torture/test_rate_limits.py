"""Flood over HTTP against the default rate limits.

The headers of the minute window show the grants: (`Reset`, `Used`) identifies one grant. They do
not show in which *second* a grant counted.

With Redis, its own log (MONITOR) shows that. The script writes the starts and counts of both
windows in one step, so each answer finds its second exactly.

The embedded server keeps its counters to itself. There, a grant happened between its request and
its answer's arrival, and grants follow each other in the order of `Used`. Under these bounds the
counts must fit into seconds of ten. The grants that certainly lie in one second must be ten at
most.
"""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import accumulate

import pytest
import redis

from tests import wire
from tests.torture.conftest import FULL, Report
from tests.torture.deployment import EMBEDDED_WORKER
from tests.torture.served import PROCESSES, Answer, Client, Served, served, together

pytestmark = [pytest.mark.torture, pytest.mark.alone, pytest.mark.both]

CLIENTS = 50
SECONDS = 15.0 if FULL else 1.5
A_SECOND, A_MINUTE = 10, 100
ANONYMOUS = ""


@pytest.fixture(scope="module")
def parley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("flood"), API_RATE_LIMITS="") as parley:
        yield parley


def flood(parley: Served, tokens: Sequence[str]) -> list[Answer]:
    """Send requests from 50 clients as fast as possible.

    They use these tokens in turn, and forged addresses.
    """
    until = time.time() + SECONDS

    def work(number: int) -> list[Answer]:
        port, token = parley.ports[number % len(parley.ports)], tokens[number % len(tokens)]
        dice, answers = random.Random(number), list[Answer]()
        with closing(Client(port, token)) as client:
            while time.time() < until:
                forged = f"192.0.2.{dice.randrange(256)}, 198.51.100.{dice.randrange(256)}"
                answers.append(client.ask("GET", "/api/v1/users/me", X_Forwarded_For=forged))
        return answers

    by_client = together([partial(work, number) for number in range(CLIENTS)])
    return [answer for answers in by_client for answer in answers]


def told(answer: Answer, name: str) -> int:
    return int(answer.headers[f"X-RateLimit-{name}"])


def granted(answers: Sequence[Answer], status: int) -> dict[int, list[Answer]]:
    """Check all answers of one caller. Return its grants in order, by the start of the minute."""
    minutes: dict[int, list[Answer]] = defaultdict(list)
    for answer in answers:
        assert answer.status in (status, 429)
        limit, used, reset = (told(answer, name) for name in ("Limit", "Used", "Reset"))
        assert limit == told(answer, "Remaining") + used
        if answer.status == 429:
            assert (limit, used) in ((A_SECOND, A_SECOND), (A_MINUTE, A_MINUTE))
            window = 1 if limit == A_SECOND else 60
            # Nobody is sent away for longer than the window that refused lasts.
            assert 1 <= int(answer.headers["Retry-After"]) <= window
        else:
            assert limit == A_MINUTE
            window = 60
            minutes[reset - 60].append(answer)
        assert reset % window == 0
        assert answer.asked_at <= reset
        assert reset - window <= answer.read_at
    for grants in minutes.values():
        grants.sort(key=lambda answer: told(answer, "Used"))
        assert [told(answer, "Used") for answer in grants] == list(range(1, len(grants) + 1))
        assert len(grants) <= A_MINUTE
    return minutes


@contextmanager
def monitored(parley: Served) -> Iterator[dict[tuple[str, int, int], int]]:
    """Yield a dictionary from (caller, start of the minute, place in it) to the counted second.

    It is complete after the context has ended.
    """
    seconds: dict[tuple[str, int, int], int] = {}
    with ExitStack() as stack:
        if EMBEDDED_WORKER:
            yield seconds
            return
        client = stack.enter_context(
            redis.Redis.from_url(parley.deployment.environment["REDIS_URL"])
        )
        monitor = stack.enter_context(client.monitor())
        yield seconds
        client.echo("the end")
        counted: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
        for line in iter(monitor.next_command, None):
            words = line["command"].split()
            if words[0] == "ECHO":
                break
            if words[0].upper() != "HSET":
                continue
            _hset, caller, _start, start, used, count = words
            window = int(used.partition(":")[0])
            # The log's own clock says the same as the window's start.
            assert 0 <= line["time"] - int(start) < window + 0.1
            counted[caller][window] = int(start), int(count)
            if window == 60:
                (second, place), (minute, number) = counted[caller][1], counted[caller][60]
                assert 1 <= place <= A_SECOND
                seconds[caller, minute, number] = second


def at_most_ten_a_second(grants: Sequence[Answer]) -> int:
    """Return the number of grants that certainly lie in the busiest second.

    Check that the grants fit into seconds of ten, in their order. A grant cannot be earlier than
    the request of it or of one before it. It cannot be later than the answer of it or of one after
    it. Each is put into the first second that has room.
    """
    earliest = accumulate((answer.asked_at for answer in grants), max)
    latest = list(accumulate((answer.read_at for answer in reversed(grants)), min))
    certain: Counter[int] = Counter()
    second = held = 0
    for since, until in zip(earliest, reversed(latest), strict=True):
        assert since <= until
        if int(since) == int(until):
            certain[int(since)] += 1
        if int(since) > second:
            second, held = int(since), 0
        elif held == A_SECOND:
            second, held = second + 1, 0
        held += 1
        assert second <= until
    busiest = max(certain.values(), default=0)  # none, where every answer took into another second
    assert busiest <= A_SECOND
    return busiest


def wait_for_room_in_the_minute() -> None:
    """Wait until a whole minute's budget can be spent in one minute."""
    wire.until(lambda: time.time() % 60 < 59 - SECONDS, seconds=SECONDS + 5, what="the next minute")


@pytest.mark.parametrize("who", ["ten tokens of an account", "forged addresses"])
def test_a_flood_is_granted_what_is_promised(parley: Served, report: Report, who: str) -> None:
    if who == "forged addresses":
        tokens, status, caller = [ANONYMOUS], 401, "address:127.0.0.1"
    else:
        ((alice,),) = parley.deployment.rows(
            "SELECT id FROM accounts_user WHERE email = 'alice@example.com'"
        )
        tokens, status, caller = list(parley.tokens), 200, f"account:{alice}"
    size = f"{CLIENTS} clients, {SECONDS} s, {PROCESSES} processes"
    with report.line(f"rate limits: {who}", size) as findings:
        wait_for_room_in_the_minute()
        with monitored(parley) as counted_in:
            answers = flood(parley, tokens)

        minutes = granted(answers, status)
        grants = [answer for _minute, of_it in sorted(minutes.items()) for answer in of_it]
        findings.update(requests=len(answers), granted=len(grants))
        findings["most in a minute"] = max(map(len, minutes.values()))
        findings["in a second for certain"] = at_most_ten_a_second(grants)
        if FULL:
            assert findings["most in a minute"] == A_MINUTE
        if not EMBEDDED_WORKER:
            own = {key[1:]: second for key, second in counted_in.items() if key[0].endswith(caller)}
            names = [(told(answer, "Reset") - 60, told(answer, "Used")) for answer in grants]
            assert sorted(names) == sorted(own)
            for name, answer in zip(names, grants, strict=True):
                assert int(answer.asked_at) <= own[name] <= answer.read_at
            findings["most in a second by Redis"] = max(Counter(own.values()).values())
            assert findings["most in a second by Redis"] == A_SECOND
        assert parley.complaints == []


def test_others_have_a_budget_of_their_own(parley: Served) -> None:
    """Bob's first request is granted, even after others have used up their limits."""
    with closing(Client(parley.ports[0], parley.cast["bob"])) as client:
        answer = client.ask("GET", "/api/v1/users/me")
    assert (answer.status, told(answer, "Limit"), told(answer, "Used")) == (200, A_MINUTE, 1)
