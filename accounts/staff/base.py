"""Base of the staff pages of every app: permissions, search, actions and the audit log."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar, TypeVar, cast

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.domain.audit import Action
from accounts.models import User
from core.db.outbox import one_hint
from core.errors import DomainError, Forbidden

M = TypeVar("M", bound=Model)

# How many rows one action can take at once.
_MOST_AT_ONCE = 200
# Django shows no search box without a field to search.
_BY_NOTHING = ("pk__exact",)
# How many rows of a list can be paged through. To count a million rows takes too long.
_MOST_LISTED = 10_000


def acting(request: HttpRequest) -> User:
    """Return the member of staff whose request this is."""
    assert isinstance(request.user, User)  # noqa: S101  the admin lets nobody else in
    return request.user


def may_touch(actor: User, people: Iterable[User]) -> bool:
    """Tell whether this person may change these people's data.

    Only superusers change superusers'.
    """
    return actor.is_superuser or not any(person.is_superuser for person in people)


def people_with(email: str) -> QuerySet[User]:
    """Return the people with this email address, as the main one or as another confirmed one."""
    email = email.lower()
    confirmed = Q(emailaddress__email=email, emailaddress__verified=True)
    return User.objects.filter(Q(email=email) | confirmed).distinct()


class Bounded(Paginator[Any]):
    """A paginator that counts only as far as a list can be paged through."""

    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet[Any], self.object_list)
        return rows.order_by()[:_MOST_LISTED].count()


class OfPerson(admin.SimpleListFilter):
    """Filter `?person=7`: rows that concern this person. Links on the person's page set it."""

    title = _("person")
    parameter_name = "person"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        self._paths = cast("StaffAdmin[Any]", model_admin).people
        value = self.value()
        if value is None:
            return []
        person = self._person()
        return [(value, person.email if person else gettext("nobody"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        person = self._person()
        return queryset.filter(_concerns(self._paths, [person.pk])) if person else queryset.none()

    def _person(self) -> User | None:
        value = self.value() or ""
        # No more digits than every database can count.
        known = value.isascii() and value.isdigit() and len(value) <= 18
        return User.objects.filter(pk=value).first() if known else None


def _concerns(paths: Sequence[str], people: Sequence[int]) -> Q:
    any_of_them = Q(pk__in=())
    for name in paths:
        any_of_them |= Q(**{f"{name}__in": people})
    return any_of_them


class StaffAction:
    """An action of staff: on several rows from the list, or by a button on a row's own page."""

    def __init__(
        self,
        run: Callable[[Any, HttpRequest, Any], None],
        label: Any,
        warning: Any,
        *,
        is_many: bool,
    ) -> None:
        self.__name__ = run.__name__
        self.short_description = label
        self.warning = warning
        self._run = run
        self._is_many = is_many

    def __call__(
        self, model_admin: "StaffAdmin[Any]", request: HttpRequest, queryset: QuerySet[Any]
    ) -> None:
        rows = list(queryset[: _MOST_AT_ONCE + 1])
        if len(rows) > _MOST_AT_ONCE:
            said = gettext("Choose %(count)d at most.") % {"count": _MOST_AT_ONCE}
            model_admin.message_user(request, said, messages.ERROR)
            return
        with one_hint():
            count = sum(self._done(model_admin, request, row) for row in rows)
        if count:
            said = ngettext("%(what)s: done.", "%(what)s: done %(count)d times.", count)
            values = {"what": self.short_description, "count": count}
            model_admin.message_user(request, said % values, messages.SUCCESS)

    def _done(self, model_admin: "StaffAdmin[Any]", request: HttpRequest, row: Any) -> bool:
        """Run the action on one row. False if it was refused; the page then says why."""
        people = model_admin.people_of(row)
        with translation.override("en"):
            subject = f"{self.short_description}: {model_admin.opts.verbose_name} {row}"
        try:
            if not may_touch(acting(request), people):
                raise Forbidden(gettext("Only superusers touch what is a superuser’s."))
            with nullcontext() if self._is_many else transaction.atomic():
                self._run(model_admin, request, row)
                record(request, Action.STAFF_ACTED, people, subject)
        except DomainError as error:
            model_admin.message_user(request, f"{row}: {error.message}", messages.ERROR)
            return False
        return True


def staff_action(
    label: Any, *, warning: Any = "", is_many: bool = False
) -> Callable[[Callable[[Any, HttpRequest, Any], None]], StaffAction]:
    """Make a staff action of a method that changes one row.

    Name it in `actions`. It runs in a transaction and is recorded; a refusal of the domain is
    shown. `warning` is shown before the button can be pressed. `is_many` means that it does many
    things, each in a transaction of its own, so that it does not hold all their locks.
    """
    return lambda run: StaffAction(run, label, warning, is_many=is_many)


def record(request: HttpRequest, action: Action, people: Sequence[User], subject: str) -> None:
    """Record the action for each person whom it concerns, or once if it concerns nobody."""
    concerned: Sequence[User | None] = people or [None]
    for person in concerned:
        audit.record(
            action, person=person, actor=acting(request), subject=subject, now=timezone.now()
        )


class Viewed:
    """A page that all staff may see, without permissions to be given first."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and acting(request).is_staff

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


class StaffAdmin(Viewed, admin.ModelAdmin[M]):
    """A table in which staff look things up.

    The form of the search term decides the field, so that an index answers: an email address, a
    number of Parley's, or else words in the `search_fields`.
    """

    # Paths to the people whom a row concerns.
    people: ClassVar[Sequence[str]] = ()
    # The field with a public identifier, and the prefix of these identifiers.
    number = ""
    prefix = ""
    # Fields with email addresses of people who may have no account.
    addresses: ClassVar[Sequence[str]] = ()

    search_help_text = _("An email address, a number, or a name")
    search_fields: ClassVar[tuple[str, ...]] = _BY_NOTHING
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    paginator = Bounded
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def people_of(self, row: M) -> list[User]:
        found = []
        for name in self.people:
            value: Any = row
            for part in name.split("__"):
                value = value and getattr(value, part)
            if value is not None and value not in found:
                found.append(value)
        return found

    # --- finding ------------------------------------------------------------------------------

    def get_list_filter(self, request: HttpRequest) -> Any:
        own = super().get_list_filter(request)
        return (OfPerson, *(own or ())) if self.people else own

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only lookups that the page itself offers.

        Django allows every field of the table. So a password's digest could be read letter by
        letter, by asking for rows that begin with a text.
        """
        filters = self.get_list_filter(request)
        offered = {getattr(each, "parameter_name", each) for each in filters}
        if lookup.partition("__")[0] not in offered | {self.date_hierarchy}:
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        term = search_term.strip().replace("\0", "")
        if not term:
            return queryset, False
        if "@" in term and (self.people or self.addresses):
            people = [person.pk for person in people_with(term)[:10]]
            wanted = _concerns(self.people, people)
            for name in self.addresses:
                wanted |= Q(**{name: term}) | Q(**{name: term.lower()})
            return queryset.filter(wanted), False
        if self.is_number(term):
            written = term.lower() if self.prefix.islower() else term.upper()
            return queryset.filter(**{self.number: written}), False
        if self.search_fields == _BY_NOTHING:
            return queryset.none(), False
        return super().get_search_results(request, queryset, term)

    def is_number(self, term: str) -> bool:
        return bool(self.prefix) and term.lower().startswith(self.prefix.lower())

    def count_of(self, person: User, *, at_most: int) -> int:
        """Count the rows that concern this person, up to `at_most`."""
        rows = self.model._default_manager.filter(_concerns(self.people, [person.pk]))
        return rows.order_by()[:at_most].count()

    # --- doing --------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        view = self.admin_site.admin_view(self.staff_action_view)
        return [path("<path:object_id>/act/<str:name>/", view, name=name), *super().get_urls()]

    def staff_actions(self, request: HttpRequest) -> dict[str, StaffAction]:
        actions: dict[str, Any] = self.get_actions(request)
        return {name: run for name, (run, *_) in actions.items() if isinstance(run, StaffAction)}

    def staff_action_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Run an action from the button on the row's own page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row, staff_actions = (
            self.get_object(request, unquote(object_id)),
            self.staff_actions(request),
        )
        if row is None or name not in staff_actions:
            raise Http404
        staff_actions[name](self, request, self.get_queryset(request).filter(pk=row.pk))
        if self.get_object(request, unquote(object_id)) is None:
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return redirect(
            f"admin:{self.opts.app_label}_{self.opts.model_name}_change", object_id=object_id
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        row: M | None = kwargs.get("obj")
        if row is not None:
            context["people"] = [person for person in self.people_of(row) if person != row]
            context["staff_actions"] = [
                {
                    "url": reverse(
                        f"admin:{self.opts.app_label}_{self.opts.model_name}_act",
                        args=[context["object_id"], name],
                    ),
                    "label": each.short_description,
                    "warning": each.warning,
                }
                for name, each in self.staff_actions(request).items()
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    # --- on record ----------------------------------------------------------------------------

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> Any:
        self._record(request, Action.STAFF_ADDED, obj)

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> Any:
        """Record a change. Django names the changed fields, not their values."""
        if message:
            self._record(request, Action.STAFF_CHANGED, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[M]) -> Any:
        for obj in queryset:
            self._record(request, Action.STAFF_DELETED, obj)

    def _record(self, request: HttpRequest, action: Action, obj: M, message: Any = ()) -> None:
        with translation.override("en"):
            subject = f"{self.opts.verbose_name} {obj}"
            if message:
                changes = LogEntry(change_message=json.dumps(message)).get_change_message()
                subject = f"{subject}: {changes}"
        record(request, action, self.people_of(obj), subject)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Answer 404: Parley's audit log replaces Django's history."""
        raise Http404


class ReadOnlyAdmin(StaffAdmin[M]):
    """A record that staff can read and nobody can edit."""

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> list[str]:
        hidden = self.exclude or ()
        return [field.name for field in self.model._meta.fields if field.name not in hidden]

    def get_fields(self, request: HttpRequest, obj: M | None = None) -> list[Any]:
        return self.get_readonly_fields(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class ReadOnlyInline(Viewed, admin.TabularInline[Any, Any]):
    """Rows that belong to a record, shown below it."""

    template = "admin/rows.html"
    extra = 0
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
