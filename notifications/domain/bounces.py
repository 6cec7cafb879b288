"""News of a mail provider about emails that did not arrive.

anymail takes them at `/anymail/<provider>/tracking/`, which exists with `WEBHOOK_SECRET` alone.
"""

from typing import Any

import structlog
from anymail.signals import AnymailTrackingEvent, EventType, tracking
from django.dispatch import receiver
from django.utils import timezone

from notifications.domain import kinds
from notifications.models import Notification

# A provider calls a delay `deferred`; these are for good.
_FINAL = (EventType.BOUNCED, EventType.REJECTED)

log = structlog.get_logger(__name__)


@receiver(tracking)
def note(sender: object, event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    """Pass a final refusal on to the writer of the email."""
    if event.event_type not in _FINAL:
        return
    key = (event.metadata or {}).get("message_id", "")
    row = Notification.objects.filter(message_id=key).first() if key else None
    if row is not None:
        log.info("email_bounced", id=row.pk, provider=esp_name)
        kinds.refused(row, now=timezone.now())
