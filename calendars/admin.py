"""Staff pages for the ledger and for outside calendars, without secrets and titles."""

from datetime import UTC, datetime

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.staff.base import ReadOnlyAdmin, staff_action
from accounts.staff.outboxes import OutboxAdmin
from calendars.domain import accounts
from calendars.models import BusyTime, Calendar, CalendarAccount, Entry, Feed, Item, Push


@admin.register(BusyTime)
class BusyTimeAdmin(ReadOnlyAdmin[BusyTime]):
    list_display = ("user", "start_at", "end_at", "exclusive")
    list_display_links = ("user", "start_at")
    list_filter = ("exclusive",)
    list_select_related = ("user",)
    people = ("user",)


@admin.register(CalendarAccount)
class CalendarAccountAdmin(ReadOnlyAdmin[CalendarAccount]):
    list_display = ("name", "user", "provider", "host", "state", "error", "read_at", "due_at")
    list_filter = ("state", "provider", "is_ending")
    list_select_related = ("user",)
    people = ("user",)
    number, prefix = "uuid", "cac_"
    search_fields = ("host__exact",)
    exclude = ("sealed_secret", "lease")
    actions = ("read_now",)

    @staff_action(_("Read now"))
    def read_now(self, request: HttpRequest, account: CalendarAccount) -> None:
        accounts.refresh(account=account, now=timezone.now())


@admin.register(Calendar)
class CalendarAdmin(ReadOnlyAdmin[Calendar]):
    list_display = ("name", "account", "user", "blocks", "writes", "read_at", "error")
    list_filter = ("blocks", "writes")
    list_select_related = ("account", "user")
    people = ("user",)
    number, prefix = "uuid", "cal_"
    search_fields = ("account__uuid__exact",)
    exclude = ("href", "token")


@admin.register(Item)
class ItemAdmin(ReadOnlyAdmin[Item]):
    """Objects by their keys. Addresses and UIDs can hold names, and staff need neither."""

    list_display = ("key", "calendar", "is_own", "error")
    list_filter = ("is_own",)
    list_select_related = ("calendar",)
    people = ("calendar__user",)
    search_fields = ("calendar__uuid__exact",)
    exclude = ("href", "etag", "uid")


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin[Entry]):
    list_display = ("start_at", "end_at", "calendar", "shown_as", "is_all_day", "busy_time")
    list_filter = ("shown_as", "is_all_day")
    list_select_related = ("calendar", "busy_time")
    people = ("calendar__user",)
    search_fields = ("calendar__uuid__exact",)
    exclude = ("title",)

    @admin.display(description=_("start"), ordering="start")
    def start_at(self, entry: Entry) -> datetime:
        return datetime.fromtimestamp(entry.start, UTC)

    @admin.display(description=_("end"), ordering="end")
    def end_at(self, entry: Entry) -> datetime:
        return datetime.fromtimestamp(entry.end, UTC)


@admin.register(Feed)
class FeedAdmin(ReadOnlyAdmin[Feed]):
    list_display = ("user", "shows_titles", "created_at")
    list_select_related = ("user",)
    people = ("user",)
    exclude = ("token", "digest")


@admin.register(Push)
class PushAdmin(OutboxAdmin[Push]):
    list_display = ("uid", "calendar", "source", "state", "attempts", "due_at", "last_error")
    list_select_related = ("calendar",)
    people = ("calendar__user",)
    search_fields = ("uid__exact", "calendar__uuid__exact")
    exclude = ("lease", "href", "etag")
