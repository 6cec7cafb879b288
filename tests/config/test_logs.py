"""What a log line may say: no token, no link that acts."""

import io
import logging
import logging.config
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.core import signing

from accounts.models import new_token


@pytest.fixture
def lines() -> io.StringIO:
    """What the project's own handler writes."""
    written = io.StringIO()
    config: dict[str, Any] = settings.LOGGING
    formatter = logging.config.DictConfigurator(config).configure_formatter(
        dict(config["formatters"]["line"])
    )
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    logger = logging.getLogger("test-of-logs")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    return written


def test_a_bearer_token_is_left_out(lines: io.StringIO) -> None:
    token = new_token()
    logging.getLogger("test-of-logs").warning("Authorization: Bearer %s", token)
    assert token not in lines.getvalue()
    assert "Bearer [secret]" in lines.getvalue()


def test_a_signed_link_is_left_out_also_of_a_traceback(lines: io.StringIO) -> None:
    link = f"/meetings/answer/{signing.dumps([1, 2, 0], salt='x')}"
    try:
        raise ValueError(link)
    except ValueError:
        logging.getLogger("test-of-logs").exception("Forbidden: %s", link)
    assert link not in lines.getvalue()
    assert lines.getvalue().count("/meetings/answer/[secret]") == 2


def test_everything_else_stays(lines: io.StringIO) -> None:
    logging.getLogger("test-of-logs").info("at 10:30:00 from 192.0.2.7:8000 for user_id=5")
    assert "at 10:30:00 from 192.0.2.7:8000 for user_id=5" in lines.getvalue()


def test_our_own_lines_go_the_same_way(lines: io.StringIO) -> None:
    token = new_token()
    structlog.get_logger("test-of-logs").warning("token_seen", token=token)
    assert token not in lines.getvalue()
    assert "event=token_seen" in lines.getvalue()
    assert "token=[secret]" in lines.getvalue()
