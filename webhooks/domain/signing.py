"""Signatures by the Standard Webhooks specification."""

import base64
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook as Signer

_SECRET_BYTES = 32
_SHOWN = len("whsec_1234567890abcdef")


def new_secret() -> str:
    """`whsec_` and the base64 of 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def cut(secret: str) -> str:
    """As much of a secret as is shown again: `whsec_1234567890abcdef...`."""
    return f"{secret[:_SHOWN]}..."


def headers(
    *, message_id: str, body: str, moment: datetime, signing_secrets: Iterable[str]
) -> dict[str, str]:
    """The three headers that a receiver verifies; a signature for each of the secrets."""
    at = moment.astimezone(UTC)
    signatures = [Signer(secret).sign(message_id, at, body) for secret in signing_secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
