"""Sample objects for tests of webhooks, made by the apps whose events a webhook hears of.

`settings.WEBHOOK_SAMPLES` names a function for each subject. No function here knows the apps above.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import User
from webhooks.models import Webhook


class Sample(Protocol):
    def __call__(self, *, owner: User, now: datetime) -> Mapping[str, Any]:
        """Return an object of no row, as events about such an object carry it."""


def sample(*, webhook: Webhook, now: datetime) -> dict[str, Any]:
    """Return the data of a test: a sample for the first event that the webhook hears of."""
    subject, _dot, _change = webhook.events[0].partition(".")
    make = cast(Sample, import_string(settings.WEBHOOK_SAMPLES[subject]))
    return {"message": "A test from Parley.", **make(owner=webhook.owner, now=now)}
