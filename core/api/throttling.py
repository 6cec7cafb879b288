"""Rate limits in fixed windows, exact for any number of concurrent requests.

`settings.API_RATE_LIMITS` is `{seconds: limit}`. A window of N seconds starts at every multiple of
N seconds since the epoch. A request that one window refuses is counted in none.
"""

import math
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

import structlog
from django.conf import settings

from core.ops import circuit

log = structlog.get_logger(__name__)

_MINUTE = 60
ADDRESS = "address:"
"""Begins the name of a caller without an account."""

_Counts = dict[str, int]
# This many callers are remembered per window. Beyond that, the earliest callers are forgotten.
_MAX_CALLERS = 100_000
_REDIS_TIMEOUT_SECONDS = 0.25

# KEYS[1]: a caller's counters, a hash. ARGV: seconds, limit, seconds, limit, ...
# Answers Redis's clock, whether the request is refused, and what each window held before it.
_SCRIPT = """
local clock = redis.call('TIME')
local now, longest, refused, used = tonumber(clock[1]), 0, 0, {}
for i = 1, #ARGV, 2 do
  local seconds, limit = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local kept = redis.call('HMGET', KEYS[1], ARGV[i] .. ':start', ARGV[i] .. ':used')
  local count = 0
  if tonumber(kept[1]) == now - now % seconds then count = tonumber(kept[2]) end
  if count >= limit then refused = 1 end
  if seconds > longest then longest = seconds end
  used[#used + 1] = count
end
if refused == 0 then
  for i = 1, #ARGV, 2 do
    local seconds = tonumber(ARGV[i])
    redis.call('HSET', KEYS[1], ARGV[i] .. ':start', now - now % seconds,
                                ARGV[i] .. ':used', used[(i + 1) / 2] + 1)
  end
  redis.call('EXPIRE', KEYS[1], longest)
end
return {clock[1], clock[2], refused, unpack(used)}
"""


@dataclass(frozen=True)
class Verdict:
    """State of a caller in the minute window, or in the window that refused the request.

    `reset` is in epoch seconds. `retry_after` is in seconds (0 unless refused).
    """

    limit: int
    remaining: int
    reset: int
    used: int
    refused: bool = False
    retry_after: int = 0


class Limiter(Protocol):
    def take(self, caller: str) -> Verdict:
        """Count one request of this caller, unless a window is full."""


def from_settings() -> Limiter:
    limits: dict[int, int] = settings.API_RATE_LIMITS
    return Shared(limits, settings.REDIS_URL) if settings.REDIS_URL else InProcess(limits)


def _verdict(limits: Mapping[int, int], used: Sequence[int], now: float) -> Verdict:
    """Return the verdict. `used` holds each window's count before this request, in limit order."""
    windows = dict(zip(limits, used, strict=True))
    full = [seconds for seconds, count in windows.items() if count >= limits[seconds]]
    # Of several that refuse, the one that opens last: only then does waiting help.
    seconds = max(full, key=lambda seconds: _reset(seconds, now)) if full else _MINUTE
    limit, count = limits[seconds], windows[seconds] + (not full)
    reset = _reset(seconds, now)
    return Verdict(
        limit=limit,
        remaining=max(0, limit - count),
        reset=reset,
        used=count,
        refused=bool(full),
        retry_after=max(1, math.ceil(reset - now)) if full else 0,
    )


def _reset(seconds: int, now: float) -> int:
    return (int(now) // seconds + 1) * seconds


class InProcess:
    """Counters of this process alone. The counts of a window are dropped when the next one begins.

    Clients without an account have their own tables. So a flood of addresses pushes out no
    account's counts.
    """

    def __init__(self, limits: Mapping[int, int]) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._starts = dict.fromkeys(limits, 0)
        self._counts: dict[int, tuple[_Counts, _Counts]] = {each: ({}, {}) for each in limits}

    def take(self, caller: str) -> Verdict:
        with self._lock:
            now = time.time()
            for seconds in self._limits:
                start = int(now) // seconds
                if self._starts[seconds] != start:
                    self._starts[seconds], self._counts[seconds] = start, ({}, {})
            is_address = caller.startswith(ADDRESS)
            tables = [counts[is_address] for counts in self._counts.values()]
            used = [counts.get(caller, 0) for counts in tables]
            verdict = _verdict(self._limits, used, now)
            if not verdict.refused:
                for counts in tables:
                    counts[caller] = counts.get(caller, 0) + 1
                    if len(counts) > _MAX_CALLERS:
                        del counts[next(iter(counts))]
        return verdict


class Shared:
    """Counters in Redis, with one round trip a request.

    If Redis is unreachable, this process counts.
    """

    def __init__(self, limits: Mapping[int, int], url: str) -> None:
        from redis import RedisError  # late, as the client itself

        self._limits = limits
        self._arguments = [number for window in limits.items() for number in window]
        self._client = circuit.client(url, seconds=_REDIS_TIMEOUT_SECONDS)
        weakref.finalize(self, self._client.close)
        self._script = self._client.register_script(_SCRIPT)
        self._alone = InProcess(limits)
        # A server that was started anew has forgotten every connection of the pool.
        forget = partial(self._client.connection_pool.disconnect, inuse_connections=False)
        self._breaker = circuit.CircuitBreaker(log, "rate_limits", (RedisError, OSError), forget)

    def take(self, caller: str) -> Verdict:
        return self._breaker.either(partial(self._ask, caller), partial(self._alone.take, caller))

    def _ask(self, caller: str) -> Verdict:
        answer = self._script(keys=[f"parley:limits:{caller}"], args=self._arguments)
        seconds, microseconds, _refused, *used = map(int, cast(list[bytes | int], answer))
        return _verdict(self._limits, used, seconds + microseconds / 1e6)
