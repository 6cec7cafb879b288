"""Capture of the lines that the project's own log handler writes."""

import io
import logging
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager

from core.ops import logs


@contextmanager
def written(logger: str, format_: str = "logfmt") -> Iterator[io.StringIO]:
    """Yield the text that the project's handler writes meanwhile for this logger's records."""
    config = logs.configuration("INFO", format_)
    formatter = logging.config.DictConfigurator(config).configure_formatter(
        dict(config["formatters"]["line"])
    )
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(formatter)
    told = logging.getLogger(logger)
    told.addHandler(handler)
    try:
        yield text
    finally:
        told.removeHandler(handler)
