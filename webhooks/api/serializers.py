"""The shapes of webhooks and their deliveries."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.fields import MomentField, StrictCharField, StrictModelSerializer
from config.api.schema import example
from config.outbox import OutboxState
from webhooks import services, signing
from webhooks.api import examples
from webhooks.events import EVENTS
from webhooks.models import Attempt, Delivery, Webhook

_STATES = {
    OutboxState.WAITING: "pending",
    OutboxState.SENT: "delivered",
    OutboxState.FAILED: "failed",
    OutboxState.WITHDRAWN: "withdrawn",
}


class StatsSerializer(serializers.Serializer[Any]):
    """Of the attempts of the last 30 days."""

    success_count = serializers.IntegerField()
    failure_count = serializers.IntegerField()
    success_rate = serializers.SerializerMethodField(help_text="Percent; null without attempts.")
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_failure_at = serializers.DateTimeField(allow_null=True)

    def get_success_rate(self, webhook: Any) -> float | None:
        attempts = webhook.success_count + webhook.failure_count
        return round(100 * webhook.success_count / attempts, 2) if attempts else None


@example(examples.WEBHOOK)
class WebhookSerializer(serializers.Serializer[Webhook]):
    uuid = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(EVENTS))
    status = serializers.ChoiceField(Webhook.Status.choices)
    disabled_reason = serializers.SerializerMethodField(
        help_text="Why Parley stopped it: `gone` (410) or `failing` (for five days)."
    )
    secret = serializers.SerializerMethodField(help_text="Cut, but for its making and rotation.")
    headers = serializers.DictField(child=serializers.CharField())
    timeout_seconds = serializers.IntegerField()
    max_retries = serializers.IntegerField()
    verify_ssl = serializers.BooleanField()
    stats = StatsSerializer(source="*")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_disabled_reason(self, webhook: Webhook) -> str | None:
        return webhook.disabled_reason or None

    def get_secret(self, webhook: Webhook) -> str:
        return signing.cut(webhook.secret)


@example(examples.WEBHOOK_WITH_SECRET)
class WebhookWithSecretSerializer(WebhookSerializer):
    """A webhook with the whole of its secret."""

    def get_secret(self, webhook: Webhook) -> str:
        return webhook.secret


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": services.MOST_HEADERS,
        "propertyNames": {"maxLength": 100, "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"},
        "additionalProperties": {
            "type": "string",
            "maxLength": services.LONGEST_VALUE,
            "pattern": "^([!-~]([ -~]*[!-~])?)?$",
        },
    }
)
class HeadersField(serializers.DictField):
    """Header values by their names; none of those that Parley sets itself."""

    def __init__(self, **options: Any) -> None:
        child = StrictCharField(
            allow_blank=True, trim_whitespace=False, max_length=services.LONGEST_VALUE
        )
        super().__init__(child=child, **options)


@example(examples.NEW_WEBHOOK)
class NewWebhookSerializer(StrictModelSerializer):
    """What is left out has its default."""

    url = StrictCharField(
        max_length=2000, trim_whitespace=False, help_text="https, on port 443 or 8443."
    )
    events = serializers.ListField(child=serializers.ChoiceField(EVENTS), min_length=1)
    headers = HeadersField(required=False)

    class Meta:
        model = Webhook
        fields = (
            "name", "url", "events", "status", "headers", "timeout_seconds", "max_retries",
            "verify_ssl",
        )  # fmt: skip


@example(examples.WEBHOOK_CHANGE)
class WebhookChangeSerializer(NewWebhookSerializer):
    """What is left out stays."""

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


# No docstring: the API's document would show it with every shape that has these.
class _Outcome:
    def get_status(self, attempt: Attempt) -> str:
        return "delivered" if attempt.succeeded else "failed"

    def get_error(self, attempt: Attempt) -> str | None:
        return attempt.error or None


class AttemptSerializer(_Outcome, serializers.Serializer[Attempt]):
    sent_at = serializers.DateTimeField(source="at")
    status = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField(
        help_text="`http_500` and the like, or what kept an answer from coming."
    )
    response_code = serializers.IntegerField(allow_null=True)
    response_time_ms = serializers.IntegerField()


@example(examples.DELIVERY)
class DeliverySerializer(serializers.Serializer[Delivery]):
    id = serializers.CharField(source="uuid")
    event_id = serializers.CharField(source="event.message_id", help_text="The `webhook-id`.")
    event = serializers.CharField(source="event.type")
    status = serializers.SerializerMethodField()
    next_attempt_at = serializers.SerializerMethodField()
    attempts = AttemptSerializer(many=True, source="tries")
    created_at = serializers.DateTimeField()

    def get_status(self, delivery: Delivery) -> str:
        return _STATES[OutboxState(delivery.state)]

    def get_next_attempt_at(self, delivery: Delivery) -> Any:
        return delivery.due_at if delivery.state == OutboxState.WAITING else None


class TestDeliverySerializer(_Outcome, serializers.Serializer[Any]):
    id = serializers.CharField(source="delivery.uuid")
    status = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
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
