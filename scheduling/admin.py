"""Staff pages for hours, event types, bookings and the ledger: read only, except calling off."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.staff import base
from accounts.staff.base import ReadOnlyAdmin, ReadOnlyInline, staff_action
from scheduling.domain import bookings
from scheduling.models import (
    Booking,
    DateOverride,
    EventType,
    FormerSlug,
    Guest,
    HistoryEntry,
    Hold,
    Schedule,
    WeeklyAvailability,
)
from scheduling.models.enums import Role
from scheduling.models.lifecycle import L, LifecycleEntry


@admin.register(WeeklyAvailability)
class WeeklyAvailabilityAdmin(ReadOnlyAdmin[WeeklyAvailability]):
    list_display = ("user", "timezone", "default", "updated_at")
    list_select_related = ("user", "default")
    people = ("user",)


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin[Schedule]):
    list_display = ("name", "user", "updated_at")
    list_select_related = ("user",)
    people = ("user",)
    number, prefix = "uuid", "sch_"
    search_fields = ("name",)


@admin.register(DateOverride)
class DateOverrideAdmin(ReadOnlyAdmin[DateOverride]):
    list_display = ("user", "date", "windows", "updated_at")
    list_display_links = ("user", "date")
    list_filter = ("date",)
    list_select_related = ("user",)
    people = ("user",)


@admin.register(EventType)
class EventTypeAdmin(ReadOnlyAdmin[EventType]):
    list_display = ("name", "host", "duration", "location", "requires_approval", "is_active")
    list_filter = ("is_active", "is_hidden", "requires_approval", "location")
    list_select_related = ("host",)
    people = ("host",)
    number, prefix = "uuid", "et_"
    search_fields = ("name", "slug__exact")


@admin.register(FormerSlug)
class FormerSlugAdmin(ReadOnlyAdmin[FormerSlug]):
    list_display = ("slug", "event_type", "host", "given_up_at")
    list_filter = ("given_up_at",)
    list_select_related = ("event_type", "host")
    people = ("host",)
    search_fields = ("slug__exact",)


class EntriesInline(ReadOnlyInline):
    """History of a row, below it."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[LifecycleEntry]:
        return super().get_queryset(request).select_related("actor")


class LifecycleAdmin(ReadOnlyAdmin[L]):
    list_filter = ("status", "start", "created_at")
    actions = ("call_off",)

    @admin.display(description=_("status"))
    def present_status(self, row: L) -> str:
        return str(row.status_at(timezone.now()).label)


class HistoryInline(EntriesInline):
    model = HistoryEntry
    fields = ("at", "change", "from_status", "to_status", "start", "actor", "role", "reason")


class GuestsInline(ReadOnlyInline):
    model = Guest
    fields = ("email", "created_at")


@admin.register(Booking)
class BookingAdmin(LifecycleAdmin[Booking]):
    list_display = ("invitee", "event_type", "host", "start", "present_status")
    list_select_related = ("event_type", "host")
    people = ("host",)
    number, prefix = "uuid", "evt_"
    addresses = ("invitee_email",)
    search_fields = ("invitee_name",)
    inlines = (GuestsInline, HistoryInline)

    @staff_action(
        _("Cancel and notify both people"),
        warning=_("The booking does not take place. Both get an email at once."),
    )
    def call_off(self, request: HttpRequest, booking: Booking) -> None:
        actor = bookings.Actor(Role.STAFF, base.acting(request))
        bookings.cancel(booking=booking, actor=actor, now=timezone.now())


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin[Hold]):
    list_display = ("event_type", "host", "start", "expires_at", "booking")
    list_filter = ("start", "expires_at")
    list_select_related = ("event_type", "host", "booking")
    people = ("host",)
    exclude = ("token_digest", "facts", "mailbox")


@admin.register(HistoryEntry)
class HistoryEntryAdmin(ReadOnlyAdmin[HistoryEntry]):
    list_display = ("booking", "change", "from_status", "to_status", "actor", "role", "at")
    list_filter = ("change", "to_status", "role", "at")
    list_select_related = ("booking", "actor")
    search_fields = ("booking__uuid__exact",)
