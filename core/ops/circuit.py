"""Circuit breaker for Redis, with an in-process fallback."""

import ssl
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from redis import Redis

_PAUSE_SECONDS = 1.0

T = TypeVar("T")


def client(url: str, *, seconds: float) -> "Redis":
    """Return a client of the Redis at this URL. It tries once and waits at most `seconds`."""
    # Late: it is large and brings OpenTelemetry's SDK along, and not everybody has a Redis.
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis.from_url(
        url,
        socket_connect_timeout=seconds,
        socket_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
    )


def reason_of(error: BaseException) -> str:
    """Return the kind of a failure to connect, for the log: never an address.

    Of a certificate that is not accepted, it says why.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate refused: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


class CircuitBreaker:
    """Circuit breaker for a server, shared by all threads of this process.

    `log` gets `<name>_alone` when the server is lost and `<name>_shared` when it is found again.
    `failures` are the errors that mean a loss. `on_loss` is called at each loss.
    """

    def __init__(
        self,
        log: Any,
        name: str,
        failures: tuple[type[Exception], ...],
        on_loss: Callable[[], object] = lambda: None,
    ) -> None:
        self._log, self._name = log, name
        self._failures, self._on_loss = failures, on_loss
        self._lock = threading.Lock()
        self._lost = False
        self._pause_until = 0.0

    def either(self, shared: Callable[[], T], alone: Callable[[], T]) -> T:
        """Return the result of `shared`, which asks the server.

        While it is away, return that of `alone`.
        """
        if not self._may_ask():
            return alone()
        try:
            answer = shared()
        except self._failures as error:
            self._lose(error)
            return alone()
        self._find()
        return answer

    def _may_ask(self) -> bool:
        """Tell whether this call may ask the server. While it is lost, one call a second may."""
        with self._lock:
            now = time.monotonic()
            if now < self._pause_until:
                return False
            if self._lost:
                self._pause_until = now + _PAUSE_SECONDS
            return True

    def _lose(self, error: Exception) -> None:
        with self._lock:
            news, self._lost = not self._lost, True
            self._pause_until = time.monotonic() + _PAUSE_SECONDS
        self._on_loss()
        if news:
            self._log.warning(f"{self._name}_alone", error=reason_of(error))

    def _find(self) -> None:
        if self._lost:
            with self._lock:
                news, self._lost, self._pause_until = self._lost, False, 0.0
            if news:
                self._log.info(f"{self._name}_shared")
