"""Staff pages for teams and their members' roles. The rules are the same as for members."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.domain import teams
from accounts.domain.audit import Action
from accounts.models import Invitation, Membership, Team, User
from accounts.staff import base
from accounts.staff.base import ReadOnlyAdmin, StaffAdmin, Viewed
from core.errors import DomainError, Forbidden
from core.people import departures


class MembershipForm(forms.ModelForm[Membership]):
    """A membership. Its person and team never change: a new person gets a new membership."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in ("user", "team"):
                self.fields[name].disabled = True


class MembershipFormSet(BaseInlineFormSet[Membership, Any, forms.ModelForm[Membership]]):
    actor: User

    def add_fields(self, form: forms.ModelForm[Membership], index: int | None) -> None:
        """Name each field for those who cannot see the head of its column."""
        super().add_fields(form, index)
        for each in form.fields.values():
            each.widget.attrs["aria-label"] = each.label

    def delete_existing(self, obj: Membership, commit: bool = True) -> None:
        """Remove a member as an owner of the team would. `clean` has locked what that ends."""
        super().delete_existing(obj, commit=commit)
        if commit:
            departures.leave_team(person_id=obj.user_id, team_id=obj.team_id, now=timezone.now())

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        touched = [form for form in self.forms if form.has_changed()]
        deleted = [form.instance for form in touched if form in self.deleted_forms]
        changed = [form.instance for form in touched if form not in self.deleted_forms]
        try:
            if not base.may_touch(self.actor, [form.instance.user for form in touched]):
                raise Forbidden(gettext("Only superusers touch what is a superuser’s."))
            teams.keep_owners(changed=changed, deleted=deleted)
        except DomainError as error:
            raise forms.ValidationError(error.message) from None


class MembershipInline(Viewed, admin.TabularInline[Membership, Any]):
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    extra = 0
    autocomplete_fields = ("user", "team")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        made = super().get_formset(request, obj, **kwargs)
        cast(type[MembershipFormSet], made).actor = base.acting(request)
        return made

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request)


@admin.register(Team)
class TeamAdmin(StaffAdmin[Team]):
    list_display = ("id", "name", "created_at")
    list_display_links = ("id", "name")
    people = ("members",)
    search_fields = ("name",)
    inlines = (MembershipInline,)

    def people_of(self, row: Team) -> list[User]:
        """Return nobody: an action on a team concerns no account.

        The team's page shows its members.
        """
        return []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Team | None = None) -> bool:
        return self.has_view_permission(request)

    def delete_model(self, request: HttpRequest, obj: Team) -> None:
        self.delete_queryset(request, Team.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Team]) -> None:
        """Delete teams without meetings.

        The page has checked this, but a meeting may have been requested since.
        """
        try:
            with transaction.atomic():
                list(queryset.order_by("pk").select_for_update().values_list("pk"))
                queryset.delete()
        except ProtectedError as error:
            said = gettext("Meetings of this team are on record, so it stays.")
            raise PermissionDenied(said) from error

    # --- on record: a membership, in the log of its person --------------------------------------

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        changed = [row for row, _fields in formset.changed_objects]
        for action, rows in (
            (Action.STAFF_ADDED, formset.new_objects),
            (Action.STAFF_CHANGED, changed),
            (Action.STAFF_DELETED, formset.deleted_objects),
        ):
            for row in rows:
                with translation.override("en"):
                    subject = f"{row._meta.verbose_name} in {row.team}: {row}"
                base.record(request, action, [row.user], subject)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        return super().construct_change_message(request, form, [], add)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    list_display = ("email", "team", "invited_by", "created_at", "expires_at")
    list_filter = ("expires_at",)
    list_select_related = ("team", "invited_by")
    people = ("invited_by",)
    addresses = ("email",)
