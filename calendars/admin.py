"""Staff pages for the ledger."""

from django.contrib import admin

from accounts.staff.base import ReadOnlyAdmin
from calendars.models import BusyTime


@admin.register(BusyTime)
class BusyTimeAdmin(ReadOnlyAdmin[BusyTime]):
    list_display = ("user", "start_at", "end_at", "exclusive")
    list_display_links = ("user", "start_at")
    list_filter = ("exclusive",)
    list_select_related = ("user",)
    people = ("user",)
