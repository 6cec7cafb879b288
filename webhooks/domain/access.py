"""Webhooks as lasting access to an account. See `core.people.access`."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from core.people.access import Access
from webhooks.domain import services
from webhooks.models import Webhook


def lasting(*, person_id: int, now: datetime) -> Iterator[Access]:
    for webhook in _active(person_id):
        name = f"{webhook.name} ({webhook.url})"
        yield Access(_("Webhook"), name, "webhooks:webhooks", webhook.created_at)


def end(*, person_id: int, now: datetime) -> None:
    """Make the person's webhooks inactive.

    They can be made active again, and resend what they missed.
    """
    for webhook in _active(person_id):
        services.update(webhook=webhook, now=now, status=Webhook.Status.INACTIVE)


def _active(person_id: int) -> list[Webhook]:
    active = Webhook.objects.filter(owner=person_id, status=Webhook.Status.ACTIVE)
    return list(active.order_by("pk"))
