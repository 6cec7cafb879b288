"""Staff pages for webhooks: their events, deliveries and attempts."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.staff.base import ReadOnlyAdmin, ReadOnlyInline
from accounts.staff.outboxes import OutboxAdmin
from core.db.crypto import is_readable
from core.text.links import cut_links
from webhooks.models import Attempt, Delivery, OwnerCounter, Webhook, WebhookEvent


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin[Webhook]):
    """Webhooks, shown without secrets and header values: staff need neither."""

    list_display = ("name", "owner", "url", "status", "disabled_reason", "failing_since")
    list_filter = ("status", "disabled_reason")
    list_select_related = ("owner",)
    people = ("owner",)
    number, prefix = "uuid", "wh_"
    search_fields = ("name", "url__startswith")
    exclude = ("secret", "previous_secret", "sealed_headers")


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin[WebhookEvent]):
    list_display = ("type", "message_id", "owner", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("owner",)
    people = ("owner",)
    number, prefix = "message_id", "msg_"
    search_fields = ("topic__exact",)
    exclude = ("body",)

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEvent | None = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "body_without_links"]

    @admin.display(description=_("body"))
    def body_without_links(self, event: WebhookEvent) -> str:
        if not is_readable(event, "body"):
            return gettext("No key opens it.")
        return json.dumps(cut_links(json.loads(event.body)), ensure_ascii=False, indent=2)


@admin.register(OwnerCounter)
class OwnerCounterAdmin(ReadOnlyAdmin[OwnerCounter]):
    list_display = ("owner", "last")
    list_select_related = ("owner",)
    people = ("owner",)


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = ("at", "succeeded", "error", "response_code", "response_time_ms", "response_body")


@admin.register(Delivery)
class DeliveryAdmin(OutboxAdmin[Delivery]):
    list_display = ("uuid", "webhook", "event", "state", "attempts", "due_at", "last_error")
    list_filter = (*OutboxAdmin.list_filter, "created_at")
    list_select_related = ("webhook", "event")
    people = ("webhook__owner",)
    number, prefix = "uuid", "del_"
    search_fields = ("event__message_id__exact", "event__topic__exact", "webhook__uuid__exact")
    exclude = ("lease",)
    inlines = (AttemptInline,)


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin[Attempt]):
    list_display = ("delivery", "at", "succeeded", "error", "response_code", "response_time_ms")
    list_filter = ("succeeded", "at")
    list_select_related = ("delivery",)
    search_fields = ("delivery__uuid__exact",)
