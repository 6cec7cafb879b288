"""Log lines. They name people by their numbers, and hold neither a secret nor an address."""

import re
from collections.abc import Mapping
from typing import Any

import structlog

from core.ops import redaction
from core.web import clients, hosts

_FORMATS = ("logfmt", "json")
# What would break a line, or a terminal that shows it. Line feeds the renderers escape.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def redact(logger: Any, method: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Remove tokens, signed links and addresses from a log line. A structlog processor."""
    asked_host = event.get(hosts.FIELD)
    clean_event = {
        name: _CONTROL.sub(" ", clean) if isinstance(clean, str) else clean
        for name, clean in redaction.clean(event).items()
    }
    if isinstance(asked_host, str):  # an address is what its reader looks for
        clean_event[hosts.FIELD] = hosts.readable(asked_host)
    return clean_event


def add_account(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Add the number of the person whose request is being answered. A structlog processor."""
    account = clients.account()
    if account is not None:
        event.setdefault("account", account)
    return event


_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    add_account,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

# One list, however often it is configured: loggers keep the one that they have seen first.
_CHAIN: list[Any] = [*_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter]


def line_format(text: str) -> str:
    if text not in _FORMATS:
        raise ValueError("must be logfmt or json")
    return text


def _renderer(format_: str) -> Any:
    if format_ == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])


def configuration(level: str, format_: str = "logfmt") -> dict[str, Any]:
    """Return Django's `LOGGING`: one line an event, by one formatter for all loggers."""
    structlog.configure(
        processors=_CHAIN,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _PROCESSORS,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    redact,
                    _renderer(format_),
                ],
            }
        },
        "filters": {"wrong_hosts": {"()": hosts.WrongHosts}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "celery": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"filters": ["wrong_hosts"]},
            "django.server": {"level": "WARNING"},
        },
    }
