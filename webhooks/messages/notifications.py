"""Notifications to owners about their webhooks."""

from datetime import datetime

from notifications.domain import notifications
from webhooks.models import Webhook


def disabled(webhook: Webhook, *, now: datetime) -> None:
    """Tell the owner that Parley stopped this webhook. Call it in the transaction that stops it."""
    owner = webhook.owner
    content = notifications.render_email(
        "webhook_disabled",
        {"webhook": webhook, "person": owner},
        language=owner.mail_language,
    )
    notifications.email(
        address=owner.email, kind="webhook_disabled", content=content, now=now, user=owner
    )
