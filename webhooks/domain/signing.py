"""Signatures by the Standard Webhooks specification."""

import base64
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook as Signer

_SECRET_BYTES = 32
_SHOWN = len("whsec_1234567890abcdef")


def new_secret() -> str:
    """Return `whsec_` and the base64 of 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def cut(secret: str) -> str:
    """Return the part of a secret that is shown again: `whsec_1234567890abcdef...`."""
    return f"{secret[:_SHOWN]}..."


def headers(
    *, message_id: str, body: str, moment: datetime, signing_secrets: Iterable[str]
) -> dict[str, str]:
    """Return the three headers that a receiver verifies, with a signature for each secret."""
    at = moment.astimezone(UTC)
    signatures = [Signer(secret).sign(message_id, at, body) for secret in signing_secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
