"""Staff page for the audit log."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry
from accounts.staff.base import ReadOnlyAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    """Actions on accounts, and actions by staff."""

    list_display = ("at", "action", "person", "actor", "subject", "address")
    list_filter = ("action", "at")
    list_select_related = ("person", "actor")
    date_hierarchy = "at"
    people = ("person", "actor")
    search_fields = ("address__exact", "request_id__exact")
    search_help_text = _("An email address, an IP address, or the number of a request")
