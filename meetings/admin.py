"""Staff pages for meeting requests: read only, except calling off through the service."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.staff import base
from accounts.staff.base import ReadOnlyAdmin, staff_action
from meetings.domain import services
from meetings.models import DayCounter, HistoryEntry, MeetingRequest
from scheduling.admin import EntriesInline, LifecycleAdmin


class HistoryInline(EntriesInline):
    model = HistoryEntry
    fields = ("at", "from_status", "to_status", "actor", "role", "reason")


@admin.register(MeetingRequest)
class MeetingRequestAdmin(LifecycleAdmin[MeetingRequest]):
    list_display = ("booking_number", "requester", "recipient", "team", "start", "present_status")
    list_select_related = ("requester", "recipient", "team")
    people = ("requester", "recipient")
    number, prefix = "booking_number", "MTG-"
    inlines = (HistoryInline,)

    @staff_action(
        _("Cancel and notify both people"),
        warning=_("The meeting does not take place. Both get an email at once."),
    )
    def call_off(self, request: HttpRequest, meeting: MeetingRequest) -> None:
        services.cancel_as_staff(meeting=meeting, actor=base.acting(request), now=timezone.now())


@admin.register(HistoryEntry)
class HistoryEntryAdmin(ReadOnlyAdmin[HistoryEntry]):
    list_display = ("meeting", "from_status", "to_status", "actor", "role", "at")
    list_filter = ("to_status", "role", "at")
    list_select_related = ("meeting", "actor")
    search_fields = ("meeting__booking_number__exact",)


@admin.register(DayCounter)
class DayCounterAdmin(ReadOnlyAdmin[DayCounter]):
    list_display = ("day", "last")
