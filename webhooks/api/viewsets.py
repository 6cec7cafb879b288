"""API views of `/api/v1/webhooks`."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api.authentication import caller
from accounts.api.serializers import DeletedSerializer
from core.api import envelope
from core.api.fields import at
from core.api.idempotency import answer_once
from core.api.reading import Reading
from core.api.schema import IDEMPOTENCY_KEY, answer
from core.text.zones import zone_of
from webhooks.api.serializers import (
    DeliverySerializer,
    NewWebhookSerializer,
    RecoveredSerializer,
    RecoverSerializer,
    TestDeliverySerializer,
    TestSerializer,
    WebhookChangeSerializer,
    WebhookSerializer,
    WebhookWithSecretSerializer,
)
from webhooks.domain import services
from webhooks.models import Delivery, Webhook, WebhookQuerySet

_WEBHOOK = envelope.item_of(WebhookSerializer)
_WEBHOOKS = Reading(
    WebhookSerializer, Webhook.objects.visible_to, "webhook", WebhookQuerySet.with_stats
)
_DELIVERIES = Reading(DeliverySerializer, lambda webhook: Delivery.objects.filter(webhook=webhook))
_DELETED = answer(DeletedSerializer, {"message": "Webhook deleted successfully"})
_NEW_WEBHOOK = envelope.item_of(WebhookWithSecretSerializer)


class WebhookViewSet(ViewSet):
    scope = "webhooks"
    lookup_url_kwarg = "key"
    key_prefix = "wh"
    delivery_key_prefix = "del"
    links = (
        "key",
        "/data/uuid",
        "get_webhook",
        "update_webhook",
        "delete_webhook",
        "list_webhook_deliveries",
    )

    @extend_schema(
        operation_id="list_webhooks",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(WebhookSerializer),
    )
    def list(self, request: Request) -> Response:
        """Return your webhooks, oldest first, with statistics of their attempts."""
        return envelope.page(request, _WEBHOOKS.of(user=caller(request).pk))

    @extend_schema(
        operation_id="create_webhook",
        parameters=[IDEMPOTENCY_KEY],
        request=NewWebhookSerializer,
        responses={201: _NEW_WEBHOOK},
    )
    def create(self, request: Request) -> Response:
        """Create a webhook. Only this answer shows its whole `secret`."""

        def create() -> Response:
            wanted = NewWebhookSerializer(data=request.data)
            wanted.is_valid(raise_exception=True)
            made = services.create(owner=caller(request), **wanted.validated_data)
            return envelope.item(
                WebhookWithSecretSerializer(_find(request, str(made.pk))).data, status=201
            )

        return answer_once(request, create)

    @extend_schema(operation_id="get_webhook", responses=_WEBHOOK)
    def retrieve(self, request: Request, key: str) -> Response:
        """Return one of your webhooks."""
        return envelope.item(_WEBHOOKS.one(key, user=caller(request).pk))

    @extend_schema(
        operation_id="update_webhook", request=WebhookChangeSerializer, responses=_WEBHOOK
    )
    def partial_update(self, request: Request, key: str) -> Response:
        """Change the fields that you send. `status: active` starts a stopped webhook again."""
        found = _find(request, key)
        wanted = WebhookChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        changed = services.update(webhook=found, now=timezone.now(), **wanted.validated_data)
        return envelope.item(WebhookSerializer(changed).data)

    @extend_schema(
        operation_id="replace_webhook",
        request=WebhookChangeSerializer,
        responses=_WEBHOOK,
    )
    def update(self, request: Request, key: str) -> Response:
        """Change the fields that you send, as PATCH does."""
        return self.partial_update(request, key)

    @extend_schema(operation_id="delete_webhook", responses={200: _DELETED})
    def destroy(self, request: Request, key: str) -> Response:
        """Delete a webhook with its deliveries."""
        services.delete(webhook=_find(request, key))
        return Response({"message": "Webhook deleted successfully"})

    @extend_schema(operation_id="test_webhook", request=None, responses=TestSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, key: str) -> Response:
        """Send one `webhook.test` now and return the result. It is not retried."""
        _delivery, attempt = services.send_test(webhook=_find(request, key), now=timezone.now())
        outcome = "sent successfully" if attempt.succeeded else "failed"
        return Response(
            {
                "message": f"Test webhook {outcome}",
                "delivery": TestDeliverySerializer(attempt).data,
            }
        )

    @extend_schema(operation_id="rotate_webhook_secret", request=None, responses=_NEW_WEBHOOK)
    @action(detail=True, methods=["post"])
    def rotate_secret(self, request: Request, key: str) -> Response:
        """Replace the `secret`. Only this answer shows it whole.

        The old one also signs for 24 more hours.
        """
        rotated = services.rotate_secret(webhook=_find(request, key), now=timezone.now())
        return envelope.item(WebhookWithSecretSerializer(rotated).data)

    @extend_schema(
        operation_id="recover_webhook",
        request=RecoverSerializer,
        responses={202: envelope.item_of(RecoveredSerializer)},
    )
    @action(detail=True, methods=["post"])
    def recover(self, request: Request, key: str) -> Response:
        """Send all deliveries again that were created since this time and never succeeded."""
        found = _find(request, key)
        asked = RecoverSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        since = at(asked.validated_data["since"], zone_of("UTC"))
        count = services.recover(webhook=found, since=since, now=timezone.now())
        return envelope.item({"count": count}, status=202)

    @extend_schema(
        operation_id="list_webhook_deliveries",
        parameters=[envelope.PageQuery],
        responses=envelope.page_of(DeliverySerializer),
    )
    @action(detail=True)
    def deliveries(self, request: Request, key: str) -> Response:
        """Return the deliveries of this webhook, newest first, with their attempts.

        Pending ones are included.
        """
        return envelope.page(request, _DELIVERIES.of(webhook=_find(request, key).pk))

    @extend_schema(
        operation_id="redeliver_webhook_delivery",
        request=None,
        responses={202: envelope.item_of(DeliverySerializer)},
    )
    @action(
        detail=True,
        methods=["post"],
        url_path="deliveries/<str:delivery_key>/redeliver",
    )
    def redeliver(self, request: Request, key: str, delivery_key: str) -> Response:
        """Send the same bytes again, under the same `webhook-id`, with fresh retries."""
        found = services.find_delivery(webhook=_find(request, key), key=delivery_key)
        again = services.redeliver(found=found, now=timezone.now())
        return envelope.item(DeliverySerializer(again).data, status=202)


def _find(request: Request, key: str) -> Webhook:
    return services.find(key=key, user=caller(request))
