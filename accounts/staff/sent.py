"""Staff pages for what was sent to people and to their programs."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.staff.base import ReadOnlyAdmin, staff_action
from accounts.staff.outboxes import OutboxAdmin
from core.models import IdempotencyRecord
from notifications.domain import devices
from notifications.models import Notification, OptOut, PushDevice


@admin.register(PushDevice)
class PushDeviceAdmin(ReadOnlyAdmin[PushDevice]):
    list_display = ("__str__", "user", "platform", "is_active", "updated_at")
    list_filter = ("is_active", "platform")
    list_select_related = ("user",)
    people = ("user",)
    search_fields = ("name",)
    exclude = ("token", "digest")
    actions = ("deactivate",)

    @staff_action(_("Stop sending to it"))
    def deactivate(self, request: HttpRequest, device: PushDevice) -> None:
        devices.deactivate(digest=device.digest)


@admin.register(Notification)
class NotificationAdmin(OutboxAdmin[Notification]):
    """Notifications: their kind, time and result.

    Their texts are hidden, since they may hold links that act.
    """

    list_display = ("kind", "channel", "user", "state", "attempts", "due_at", "settled_at", "error")
    list_filter = (*OutboxAdmin.list_filter, "channel", "due_at")
    list_select_related = ("user",)
    people = ("user",)
    number, prefix = "message_id", "ntf_"
    search_fields = ("topic__exact",)
    exclude = ("content", "address", "lease")

    @admin.display(description=_("last error"))
    def error(self, row: Notification) -> str:
        return row.last_error or "-"


@admin.register(OptOut)
class OptOutAdmin(ReadOnlyAdmin[OptOut]):
    list_display = ("kind", "channel", "user")
    list_filter = ("channel", "kind")
    list_select_related = ("user",)
    people = ("user",)


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyAdmin[IdempotencyRecord]):
    list_display = ("key", "method", "path", "user", "status", "created_at")
    list_filter = ("method", "created_at")
    list_select_related = ("user",)
    people = ("user",)
    exclude = ("answer", "body_digest")
