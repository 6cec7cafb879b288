"""Notices to owners about their webhooks. `webhooks.messages.letters` writes the texts."""

from datetime import datetime

from notifications.domain import notifications
from webhooks.models import Webhook


def disabled(webhook: Webhook, *, now: datetime) -> None:
    """Tell the owner that Parley stopped this webhook. Call it in the transaction that stops it."""
    facts = {"id": webhook.pk, "reason": webhook.disabled_reason}
    row = notifications.email("webhook_disabled", facts, user=webhook.owner)
    notifications.enqueue([row], now=now)
