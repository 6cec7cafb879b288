"""Staff pages for people."""

from typing import Any

import django.contrib.auth.admin  # noqa: F401  it registers a page of its own
from allauth.account.forms import ResetPasswordForm
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ReauthenticationRequired
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.domain import account_mails, services
from accounts.domain.account_mails import About
from accounts.models import User, usernames
from accounts.pages.readers import reader_of
from accounts.pages.signed_in import is_recent
from accounts.privacy import keep_a_superuser
from accounts.staff import base
from accounts.staff.base import StaffAdmin, staff_action
from accounts.staff.teams import MembershipInline
from core.errors import Conflict, Invalid
from core.ops import private_names
from core.people import departures

# Nobody needs groups.
admin.site.unregister(Group)

# Counted no further on a person's page.
_MANY = 100
# Bookings and meetings to come: shown of one person, and cancelled in one go.
_MOST_SHOWN = 20
_MOST_CALLED_OFF = 100


class PersonForm(forms.ModelForm[User]):
    """The form of a person, with the rules for email address, username and rights.

    A new person's email address is nobody else's. A username is not a reserved URL. At least one
    active superuser remains.
    """

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if EmailAddress.objects.filter(email=email, verified=True).exists():
            raise forms.ValidationError(gettext("Somebody has this address."))
        return email

    def clean_username(self) -> str:
        name = str(self.cleaned_data["username"])
        if name != self.instance.username and (problem := usernames.problem_with(name)):
            raise forms.ValidationError(problem)
        if name != self.instance.username:
            try:
                services.check_username(user=self.instance, wanted=name)
            except Invalid as error:
                raise forms.ValidationError(error.message) from None
        return name

    def clean(self) -> dict[str, Any]:
        wanted: dict[str, Any] = super().clean() or self.cleaned_data
        if not all(wanted.get(right, True) for right in ("is_active", "is_staff", "is_superuser")):
            try:
                keep_a_superuser(self.instance)
            except Conflict as error:
                raise forms.ValidationError(error.message) from None
        return wanted


@admin.register(User)
class UserAdmin(StaffAdmin[User]):
    """People. Nobody can sign in as somebody else.

    So staff neither see nor set passwords. They do not change an email address, which could receive
    a new password. Only superusers decide who is staff.
    """

    list_display = ("email", "name", "username", "timezone", "is_active", "is_staff", "created_at")
    list_filter = ("is_active", "is_staff")
    number, prefix = "uuid", "usr_"
    search_fields = ("email__startswith", "username__startswith", "^first_name", "^last_name")
    form = PersonForm
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = (MembershipInline,)
    actions = ("mail_link", "call_off")
    add_fieldsets = ((None, {"fields": ("email", "first_name", "last_name", "timezone")}),)
    fieldsets = (
        (None, {"fields": ("email", "username", "uuid")}),
        (_("Person"), {"fields": ("first_name", "last_name", "position", "company", "avatar_url")}),
        (
            _("Time and language"),
            {"fields": ("timezone", "date_format", "time_format", "week_start", "language")},
        ),
        (_("Access"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Date format"), {"fields": ("last_login", "created_at", "updated_at")}),
    )

    def people_of(self, row: User) -> list[User]:
        return [row]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Search email addresses in lower case, as they are stored, by their beginning."""
        term = search_term.lower() if "@" in search_term else search_term
        return super().get_search_results(request, queryset, term)

    # --- who may ------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Forbid changes to a deleted person: their data is erased and must stay so."""
        if obj and obj.deleted_at:
            return False
        people = [obj] if obj else []
        return self.has_view_permission(request) and base.may_touch(base.acting(request), people)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Forbid deletion.

        Only owners delete their own account, because what others share with it has to stay.
        """
        return False

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return ()
        shown = ("email", "uuid", "last_login", "created_at", "updated_at")
        access = ("is_active", "is_staff", "is_superuser")
        return shown if base.acting(request).is_superuser else (*shown, *access)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj else ()

    # --- adding -------------------------------------------------------------------------------

    def save_model(
        self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool
    ) -> None:
        if change:
            if {"is_staff", "is_superuser"} & set(form.changed_data) and not is_recent(request):
                raise ReauthenticationRequired
            if services.lock_kept(obj.pk) is None:
                raise PermissionDenied
            with services.renaming(user=obj):
                obj.save(update_fields=[*form.changed_data, "updated_at"])
            return
        obj.username = User.objects.free_username(usernames.from_email(obj.email))
        obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        services.vouch_for_email(user=obj)
        try:
            _mail_link(request, obj)
        except Invalid as error:
            messages.warning(request, error.message)

    @staff_action(_("Send a password reset link"))
    def mail_link(self, request: HttpRequest, person: User) -> None:
        if not person.is_active:
            raise Conflict(gettext("This account is closed."))
        _mail_link(request, person)

    @staff_action(
        _("Cancel upcoming bookings and meetings"),
        warning=_(
            "For a deactivated person. Their upcoming bookings and meetings are cancelled, and the"
            " other person gets an email at once."
        ),
        is_many=True,
    )
    def call_off(self, request: HttpRequest, person: User) -> None:
        if person.is_active:
            raise Conflict(gettext("Deactivate the account first, so that nothing new is booked."))
        count = departures.call_off(
            person_id=person.pk,
            staff_id=base.acting(request).pk,
            now=timezone.now(),
            most=_MOST_CALLED_OFF,
        )
        said = ngettext(
            "%(count)d booking or meeting is cancelled.",
            "%(count)d bookings and meetings are cancelled.",
            count,
        )
        self.message_user(request, said % {"count": count})

    # --- all that is known of somebody, one click away ----------------------------------------

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        person: User | None = kwargs.get("obj")
        if person is not None:
            coming = departures.coming(
                person_id=person.pk, now=timezone.now(), most=_MOST_SHOWN + 1
            )
            context |= {"coming": coming[:_MOST_SHOWN], "is_more_coming": coming[_MOST_SHOWN:]}
            context["about"] = [
                {
                    "name": table.opts.verbose_name_plural,
                    "url": f"{reverse(f'admin:{_page_of(table)}_changelist')}?person={person.pk}",
                    "count": min(count, _MANY),
                    "more": count > _MANY,
                }
                # Those of the upper floors first: people ask for help with meetings and bookings.
                for table in reversed(private_names.staff_tables(self.admin_site))
                if isinstance(table, StaffAdmin) and table.people
                for count in [table.count_of(person, at_most=_MANY + 1)]
            ]
        return super().render_change_form(request, context, *args, **kwargs)


def _page_of(table: admin.ModelAdmin[Any]) -> str:
    return f"{table.opts.app_label}_{table.opts.model_name}"


def _mail_link(request: HttpRequest, person: User) -> None:
    """Mail the same link that the person could request themselves."""
    form = ResetPasswordForm({"email": person.email})
    if not form.is_valid():
        raise Invalid(gettext("No link can be mailed to this address."))
    now, reader = timezone.now(), reader_of(request)
    if problem := account_mails.refusal(person.email, About.PASSWORD, now=now, reader=reader):
        raise Invalid(problem)
    form.save(request)
