"""The log line of a request for a host that `ALLOWED_HOSTS` does not name.

Django refuses such a request with 400. An operator who has forgotten the setting needs the name,
while strangers who look for servers ask for any name, as often as they like.
"""

import logging
import re
from threading import Lock
from time import monotonic

import structlog

log = structlog.get_logger(__name__)

_MOST_A_MINUTE = 5
_MINUTE = 60.0
_LONGEST = 100
# All that a host and its port are made of, and the low line, which Docker Compose puts into names.
_OTHER = re.compile(r"[^A-Za-z0-9._:\[\]-]")
FIELD = "asked_host"
"""The field of the line that holds the name. It needs no redaction: see `readable`."""


def readable(host: str) -> str:
    """Return the name for a log line: cut, and without a character that no host has."""
    return _OTHER.sub("?", host[:_LONGEST])


class WrongHosts(logging.Filter):
    """Log our line instead of Django's: each name once a minute, five names at most."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._until = 0.0
        self._named: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        host = readable(request.META.get("HTTP_HOST", "") if request else "")
        if self._is_new(host):
            log.warning("wrong_host", **{FIELD: host}, setting="ALLOWED_HOSTS")
        return False

    def _is_new(self, host: str) -> bool:
        with self._lock:
            now = monotonic()
            if now >= self._until:
                self._until = now + _MINUTE
                self._named.clear()
            if host in self._named or len(self._named) >= _MOST_A_MINUTE:
                return False
            self._named.add(host)
            return True
