"""The staff site: its sign-in, and one search box for everything."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.staff import base
from core.ops import private_names


class StaffSite(admin.AdminSite):
    site_header = _("Parley staff")
    site_title = _("Parley staff")
    index_title = _("What do you need to see?")

    def get_urls(self) -> list[URLResolver | URLPattern]:
        return [path("find/", self.admin_view(self.find), name="find"), *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Sign in by the site's normal sign-in, with its limits and its second step."""
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_change_password")

    def find(self, request: HttpRequest) -> HttpResponse:
        """Redirect to the row of an email address, a number or a name.

        Its beginning tells which it is.
        """
        term = request.GET.get("q", "").strip().replace("\0", "")
        if not term:
            return redirect("admin:index")
        registered = private_names.staff_tables(self)
        tables = [table for table in registered if isinstance(table, base.StaffAdmin)]
        if "@" in term:
            person = base.people_with(term).first()
            if person is not None:
                return redirect("admin:accounts_user_change", object_id=person.pk)
            tables = [table for table in tables if table.addresses]
        else:
            tables = [table for table in tables if table.is_number(term)]
            if not tables:
                return _listed(self.get_model_admin(User), term)
        for table in tables:
            found, _several = table.get_search_results(
                request, table.get_queryset(request).order_by(), term
            )
            rows = list(found[:2])
            if len(rows) == 1:
                name = f"admin:{table.opts.app_label}_{table.opts.model_name}_change"
                return redirect(name, object_id=rows[0].pk)
            if rows:
                return _listed(table, term)
        messages.warning(request, gettext("There is no %(term)s.") % {"term": term})
        return redirect("admin:index")


def _listed(table: admin.ModelAdmin[Any], term: str) -> HttpResponse:
    url = reverse(f"admin:{table.opts.app_label}_{table.opts.model_name}_changelist")
    return redirect(f"{url}?{urlencode({'q': term})}")
