"""Texts of the messages about webhooks, written when they are sent."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from notifications.domain import kinds, notifications
from notifications.domain.kinds import Facts, Message
from webhooks.models import Webhook


class WebhookWriter(kinds.Writer):
    """Writes to the owner of a webhook."""

    def find(self, ids: Collection[int]) -> Mapping[int, Webhook]:
        return Webhook.objects.select_related("owner").in_bulk(ids)

    def write(self, kind: str, found: Webhook, facts: Facts, *, now: datetime) -> Message:
        reason = Webhook.DisabledReason(facts["reason"]).label
        context = {
            "webhook": found,
            "webhook_url": settings.PUBLIC_URL + reverse("webhooks:webhook", args=[found.pk]),
            "reason": reason,
            "person": found.owner,
        }
        content = notifications.render_email(kind, context, language=found.owner.mail_language)
        return Message(found.owner.email, content)


kinds.register(["webhook_disabled"], WebhookWriter())
