"""Staff pages for meeting requests: read only, but for calling off through the service."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from config.admin import ReadOnlyAdmin
from config.errors import DomainError
from meetings import services
from meetings.models import DayCounter, HistoryEntry, MeetingRequest


class HistoryInline(admin.TabularInline[HistoryEntry, Any]):
    model = HistoryEntry
    fields = readonly_fields = ("at", "from_status", "to_status", "actor", "role", "reason")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[HistoryEntry]:
        return super().get_queryset(request).select_related("actor")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(MeetingRequest)
class MeetingRequestAdmin(ReadOnlyAdmin[MeetingRequest]):
    list_display = ("booking_number", "requester", "recipient", "team", "start", "present_status")
    list_filter = ("status", "team", "start", "created_at")
    list_select_related = ("requester", "recipient", "team")
    date_hierarchy = "start"
    search_fields = ("booking_number", "requester__email", "recipient__email")
    inlines = (HistoryInline,)
    actions = ("call_off",)

    @admin.display(description=_("status"))
    def present_status(self, meeting: MeetingRequest) -> str:
        return str(meeting.status_at(timezone.now()).label)

    @admin.action(description=_("Cancel, and tell both people"))
    def call_off(self, request: HttpRequest, queryset: QuerySet[MeetingRequest]) -> None:
        staff = request.user
        assert isinstance(staff, User)  # noqa: S101  the admin lets nobody else in
        for meeting in queryset:
            try:
                services.cancel_as_staff(meeting=meeting, actor=staff, now=timezone.now())
            except DomainError as error:
                self.message_user(request, f"{meeting}: {error.message}", messages.ERROR)
            else:
                self.message_user(request, f"{meeting}: {_('cancelled')}", messages.SUCCESS)


@admin.register(HistoryEntry)
class HistoryEntryAdmin(ReadOnlyAdmin[HistoryEntry]):
    list_display = ("meeting", "from_status", "to_status", "actor", "role", "at")
    list_filter = ("to_status", "role", "at")
    list_select_related = ("meeting", "actor")
    search_fields = ("meeting__booking_number", "actor__email")


@admin.register(DayCounter)
class DayCounterAdmin(ReadOnlyAdmin[DayCounter]):
    list_display = ("day", "last")
