"""What a log line may say."""

import re
from typing import Any

# Bearer tokens of ours, and what Django's signing makes: a value, a time and a signature.
_SECRETS = re.compile(r"pat_\w{8,}|[\w.-]+:[\w-]{5,7}:[\w-]{27,}")


def redact(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: no token and no signed link leaves in a log line."""
    return {
        name: _SECRETS.sub("[secret]", value) if isinstance(value, str) else value
        for name, value in event.items()
    }
