"""Staff pages for webhooks: what was told, how that went, and telling it again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from config.admin import ReadOnlyAdmin
from config.errors import DomainError
from webhooks import services
from webhooks.models import Attempt, Delivery, Webhook, WebhookEvent


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin[Webhook]):
    """Without secrets and header values: staff need neither."""

    list_display = ("name", "owner", "url", "status", "disabled_reason", "failing_since")
    list_filter = ("status", "disabled_reason")
    list_select_related = ("owner",)
    search_fields = ("uuid", "name", "url", "owner__email")
    exclude = ("secret", "previous_secret", "sealed_headers")


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin[WebhookEvent]):
    list_display = ("type", "message_id", "owner", "created_at")
    list_filter = ("type",)
    list_select_related = ("owner",)
    date_hierarchy = "created_at"
    search_fields = ("message_id", "owner__email")


class AttemptInline(admin.TabularInline[Attempt, Any]):
    model = Attempt
    fields = readonly_fields = (
        "at", "succeeded", "error", "response_code", "response_time_ms", "response_body",
    )  # fmt: skip
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin[Delivery]):
    list_display = ("uuid", "webhook", "event", "state", "attempts", "due_at", "last_error")
    list_filter = ("state", "event__type")
    list_select_related = ("webhook", "event")
    date_hierarchy = "created_at"
    search_fields = ("uuid", "event__message_id", "webhook__uuid", "webhook__owner__email")
    exclude = ("lease",)
    inlines = (AttemptInline,)
    actions = ("redeliver",)

    @admin.action(description=_("Send again"))
    def redeliver(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        sent = 0
        for delivery in queryset.select_related("webhook"):
            try:
                services.redeliver(found=delivery, now=timezone.now())
            except DomainError as error:
                self.message_user(request, f"{delivery}: {error.message}", messages.ERROR)
            else:
                sent += 1
        if sent:
            words = ngettext("%d delivery will be sent again.", "%d will be sent again.", sent)
            self.message_user(request, words % sent, messages.SUCCESS)


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin[Attempt]):
    list_display = ("delivery", "at", "succeeded", "error", "response_code", "response_time_ms")
    list_filter = ("succeeded", "error")
    list_select_related = ("delivery",)
    search_fields = ("delivery__uuid",)
