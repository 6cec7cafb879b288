"""Staff pages for people, teams, tokens, devices and what was sent."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import services
from accounts.models import (
    ApiToken,
    IdempotencyRecord,
    Invitation,
    Membership,
    Notification,
    PushDevice,
    Team,
    User,
)
from config import outbox
from config.admin import ReadOnlyAdmin

admin.site.site_header = _("Parley staff")
admin.site.site_title = _("Parley staff")
admin.site.index_title = _("What do you need to see?")
admin.site.unregister(Group)


class MembershipInline(admin.TabularInline[Membership, Any]):
    model = Membership
    extra = 0
    autocomplete_fields = ("user", "team")


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    """A new person's address counts as verified: staff vouch for it."""

    list_display = ("email", "name", "username", "timezone", "is_active", "is_staff", "created_at")
    list_filter = ("is_active", "is_staff", "teams")
    search_fields = ("email", "username", "first_name", "last_name", "uuid")
    ordering = ("email",)
    readonly_fields = ("uuid", "last_login", "created_at", "updated_at")
    filter_horizontal = ("user_permissions",)
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": ("email", "username", "password", "uuid")}),
        (_("Person"), {"fields": ("first_name", "last_name", "position", "company", "avatar_url")}),
        (
            _("Time and language"),
            {"fields": ("timezone", "date_format", "time_format", "week_start", "language")},
        ),
        (_("Access"), {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "created_at", "updated_at")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "email", "username", "first_name", "last_name", "timezone",
                    "usable_password", "password1", "password2",
                ),
            },
        ),
    )  # fmt: skip

    def save_model(
        self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool
    ) -> None:
        obj.email = obj.email.lower()
        super().save_model(request, obj, form, change)
        services.vouch_for_email(user=obj)


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin[Team]):
    list_display = ("id", "name", "created_at")
    list_display_links = ("id", "name")
    search_fields = ("name", "members__email")
    inlines = (MembershipInline,)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    list_display = ("email", "team", "invited_by", "created_at", "expires_at")
    list_filter = ("expires_at",)
    list_select_related = ("team", "invited_by")
    search_fields = ("email", "team__name", "invited_by__email")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin[ApiToken]):
    list_display = (
        "name",
        "hint",
        "user",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("revoked_at", "expires_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("name", "hint", "user__email")
    exclude = ("digest",)
    actions = ("revoke",)

    @admin.action(description=_("Revoke at once"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            services.revoke_token(token=token, now=timezone.now())
        self.message_user(request, _("Revoked."), messages.SUCCESS)


@admin.register(PushDevice)
class PushDeviceAdmin(ReadOnlyAdmin[PushDevice]):
    list_display = ("__str__", "user", "platform", "is_active", "updated_at")
    list_filter = ("is_active", "platform")
    list_select_related = ("user",)
    search_fields = ("name", "user__email")
    exclude = ("token",)
    actions = ("deactivate",)

    @admin.action(description=_("Stop sending to these devices"))
    def deactivate(self, request: HttpRequest, queryset: QuerySet[PushDevice]) -> None:
        for device in queryset:
            services.deactivate_device(token=device.token)
        self.message_user(request, _("Deactivated."), messages.SUCCESS)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin[Notification]):
    """What was sent, when and how it went; not what it said, since that may hold links that act."""

    list_display = ("kind", "channel", "user", "state", "attempts", "due_at", "settled_at", "error")
    list_filter = ("state", "channel", "kind", "due_at")
    list_select_related = ("user",)
    date_hierarchy = "created_at"
    search_fields = ("user__email", "message_id", "topic")
    exclude = ("content", "address", "lease")
    actions = ("send_again", "take_back")

    @admin.display(description=_("last error"))
    def error(self, row: Notification) -> str:
        return row.last_error or "-"

    @admin.action(description=_("Send again"))
    def send_again(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        count = outbox.requeue(queryset, now=timezone.now())
        self.message_user(
            request,
            ngettext("%d message will be sent again.", "%d messages will be sent again.", count)
            % count,
            messages.SUCCESS,
        )

    @admin.action(description=_("Take back what has not been sent"))
    def take_back(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        count = outbox.withdraw(queryset, now=timezone.now())
        self.message_user(
            request,
            ngettext("%d message taken back.", "%d messages taken back.", count) % count,
            messages.SUCCESS,
        )


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyAdmin[IdempotencyRecord]):
    list_display = ("key", "method", "path", "user", "status", "created_at")
    list_filter = ("method", "status", "created_at")
    list_select_related = ("user",)
    search_fields = ("key", "path", "user__email")
    exclude = ("answer", "body_digest")
