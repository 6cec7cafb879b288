"""Staff pages for the ledger."""

from django.contrib import admin

from config.admin import ReadOnlyAdmin
from scheduling.models import BusyTime


@admin.register(BusyTime)
class BusyTimeAdmin(ReadOnlyAdmin[BusyTime]):
    list_display = ("user", "start_at", "end_at", "exclusive")
    list_display_links = ("user", "start_at")
    list_filter = ("exclusive",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
