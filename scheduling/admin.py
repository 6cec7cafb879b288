"""Staff pages for hours, event types, bookings and the ledger: read only, but for calling off."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from config.admin import ReadOnlyAdmin
from config.errors import DomainError
from scheduling import bookings
from scheduling.enums import Role
from scheduling.models import (
    Booking,
    BusyTime,
    DateOverride,
    EventType,
    HistoryEntry,
    WeeklyAvailability,
)


@admin.register(WeeklyAvailability)
class WeeklyAvailabilityAdmin(ReadOnlyAdmin[WeeklyAvailability]):
    list_display = ("user", "timezone", "updated_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)


@admin.register(DateOverride)
class DateOverrideAdmin(ReadOnlyAdmin[DateOverride]):
    list_display = ("user", "date", "windows", "updated_at")
    list_display_links = ("user", "date")
    list_select_related = ("user",)
    date_hierarchy = "date"
    search_fields = ("user__email",)


@admin.register(EventType)
class EventTypeAdmin(ReadOnlyAdmin[EventType]):
    list_display = ("name", "host", "duration", "location", "requires_approval", "is_active")
    list_filter = ("is_active", "requires_approval", "location")
    list_select_related = ("host",)
    search_fields = ("uuid", "name", "slug", "host__email")


class HistoryInline(admin.TabularInline[HistoryEntry, Any]):
    model = HistoryEntry
    fields = readonly_fields = (
        "at", "change", "from_status", "to_status", "start", "actor", "role", "reason",
    )  # fmt: skip
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[HistoryEntry]:
        return super().get_queryset(request).select_related("actor")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Booking)
class BookingAdmin(ReadOnlyAdmin[Booking]):
    list_display = ("invitee_name", "event_type", "host", "start", "present_status")
    list_filter = ("status", "start", "created_at")
    list_select_related = ("event_type", "host")
    date_hierarchy = "start"
    search_fields = ("uuid", "invitee_email", "invitee_name", "host__email")
    inlines = (HistoryInline,)
    actions = ("call_off",)

    @admin.display(description=_("status"))
    def present_status(self, booking: Booking) -> str:
        return str(booking.status_at(timezone.now()).label)

    @admin.action(description=_("Cancel, and tell both people"))
    def call_off(self, request: HttpRequest, queryset: QuerySet[Booking]) -> None:
        staff = request.user
        assert isinstance(staff, User)  # noqa: S101  the admin lets nobody else in
        actor = bookings.Actor(Role.STAFF, staff)
        for booking in queryset:
            try:
                bookings.cancel(booking=booking, actor=actor, now=timezone.now())
            except DomainError as error:
                self.message_user(request, f"{booking}: {error.message}", messages.ERROR)
            else:
                self.message_user(request, f"{booking}: {_('cancelled')}", messages.SUCCESS)


@admin.register(HistoryEntry)
class HistoryEntryAdmin(ReadOnlyAdmin[HistoryEntry]):
    list_display = ("booking", "change", "from_status", "to_status", "actor", "role", "at")
    list_filter = ("change", "to_status", "role", "at")
    list_select_related = ("booking", "actor")
    search_fields = ("booking__uuid", "booking__invitee_email", "actor__email")


@admin.register(BusyTime)
class BusyTimeAdmin(ReadOnlyAdmin[BusyTime]):
    list_display = ("user", "start_at", "end_at", "exclusive")
    list_display_links = ("user", "start_at")
    list_filter = ("exclusive",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
