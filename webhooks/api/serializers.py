"""Serializers of webhooks and their deliveries."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import MomentField, StrictCharField, StrictModelSerializer
from core.api.reading import Derived, Many
from core.api.schema import example
from core.db.crypto import opened
from core.db.outbox import OutboxState
from webhooks.api import examples
from webhooks.domain import services, signing
from webhooks.domain.events import EVENTS
from webhooks.models import Attempt, Delivery, Webhook

_STATES = {
    OutboxState.WAITING: "pending",
    OutboxState.SENT: "delivered",
    OutboxState.FAILED: "failed",
    OutboxState.WITHDRAWN: "withdrawn",
}


_TEXT_OR_NULL = serializers.CharField(allow_null=True)


def _or_null(text: str) -> str | None:
    return text or None


def _outcome(succeeded: bool) -> str:
    return "delivered" if succeeded else "failed"


def _percentage(good: int, bad: int) -> float | None:
    return round(100 * good / (good + bad), 2) if good + bad else None


class StatsSerializer(serializers.Serializer[Any]):
    """Statistics of the attempts of the last 30 days."""

    success_count = serializers.IntegerField()
    failure_count = serializers.IntegerField()
    success_rate = Derived(
        _percentage,
        "success_count",
        "failure_count",
        like=serializers.FloatField(allow_null=True),
        help_text="Percent; null without attempts.",
    )
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_failure_at = serializers.DateTimeField(allow_null=True)


@example(examples.WEBHOOK)
class WebhookSerializer(serializers.Serializer[Webhook]):
    uuid = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(EVENTS))
    status = serializers.ChoiceField(Webhook.Status.choices)
    disabled_reason = Derived(
        _or_null,
        "disabled_reason",
        like=_TEXT_OR_NULL,
        help_text="Why Parley stopped it: `gone` (410) or `failing` (for five days).",
    )
    secret = Derived(
        lambda secret: signing.cut(opened(secret)),
        "secret",
        like=serializers.CharField(),
        help_text="Cut, but for its making and rotation.",
    )
    headers = Derived(
        lambda headers: json.loads(opened(headers)),
        "sealed_headers",
        like=serializers.DictField(child=serializers.CharField()),
    )
    timeout_seconds = serializers.IntegerField()
    max_retries = serializers.IntegerField()
    verify_ssl = serializers.BooleanField()
    stats = StatsSerializer(source="*")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


@example(examples.WEBHOOK_WITH_SECRET)
class WebhookWithSecretSerializer(WebhookSerializer):
    """A webhook with its whole secret."""

    secret = Derived(opened, "secret", like=serializers.CharField())


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": services.MOST_HEADERS,
        "propertyNames": {
            "type": "string",
            "maxLength": 100,
            "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
        },
        "additionalProperties": {
            "type": "string",
            "maxLength": services.LONGEST_VALUE,
            "pattern": "^([!-~]([ -~]*[!-~])?)?$",
        },
    }
)
class HeadersField(serializers.DictField):
    """Header values by their names. Headers that Parley sets itself are not allowed."""

    def __init__(self, **options: Any) -> None:
        child = StrictCharField(
            allow_blank=True, trim_whitespace=False, max_length=services.LONGEST_VALUE
        )
        super().__init__(child=child, **options)


@example(examples.NEW_WEBHOOK)
class NewWebhookSerializer(StrictModelSerializer):
    """A new webhook. A field that you leave out gets its default."""

    url = StrictCharField(
        max_length=2000, trim_whitespace=False, help_text="https, on port 443 or 8443."
    )
    events = serializers.ListField(child=serializers.ChoiceField(EVENTS), min_length=1)
    headers = HeadersField(required=False)

    class Meta:
        model = Webhook
        fields = (
            "name",
            "url",
            "events",
            "status",
            "headers",
            "timeout_seconds",
            "max_retries",
            "verify_ssl",
        )


@example(examples.WEBHOOK_CHANGE)
class WebhookChangeSerializer(NewWebhookSerializer):
    """Changes to a webhook. A field that you leave out keeps its value."""

    url = StrictCharField(
        max_length=2000,
        trim_whitespace=False,
        required=False,
        help_text="https, on port 443 or 8443.",
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(EVENTS), min_length=1, required=False
    )

    class Meta(NewWebhookSerializer.Meta):
        extra_kwargs = {"name": {"required": False}}


class AttemptSerializer(serializers.Serializer[Attempt]):
    sent_at = serializers.DateTimeField(source="at")
    status = Derived(_outcome, "succeeded", like=serializers.CharField())
    error = Derived(
        _or_null,
        "error",
        like=_TEXT_OR_NULL,
        help_text="`http_500` and the like, or what kept an answer from coming.",
    )
    response_code = serializers.IntegerField(allow_null=True)
    response_time_ms = serializers.IntegerField()


@example(examples.DELIVERY)
class DeliverySerializer(serializers.Serializer[Delivery]):
    id = serializers.CharField(source="uuid")
    event_id = serializers.CharField(source="event.message_id", help_text="The `webhook-id`.")
    event = serializers.CharField(source="event.type")
    status = Derived(
        lambda state: _STATES[OutboxState(state)], "state", like=serializers.CharField()
    )
    next_attempt_at = Derived(
        lambda state, due_at: due_at if state == OutboxState.WAITING else None,
        "state",
        "due_at",
        like=serializers.DateTimeField(allow_null=True),
    )
    attempts = Many(AttemptSerializer(), source="attempt_rows", model=Attempt, owner="delivery")
    created_at = serializers.DateTimeField()


class TestDeliverySerializer(serializers.Serializer[Any]):
    id = serializers.CharField(source="delivery.uuid")
    status = Derived(_outcome, "succeeded", like=serializers.CharField())
    error = Derived(_or_null, "error", like=_TEXT_OR_NULL)
    response_code = serializers.IntegerField(allow_null=True)
    response_time_ms = serializers.IntegerField()
    sent_at = serializers.DateTimeField(source="at")


@example(examples.TEST)
class TestSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    delivery = TestDeliverySerializer()


@example(examples.RECOVER)
class RecoverSerializer(serializers.Serializer[Any]):
    since = MomentField(help_text="ISO 8601; UTC unless it has an offset.")


@example(examples.RECOVERED)
class RecoveredSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Deliveries that will be sent again.")
