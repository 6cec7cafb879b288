"""allauth's pages. Those that write for a person do it behind that person's lock."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps

from allauth.urls import urlpatterns as of_allauth
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver

from accounts.domain import services
from accounts.pages.addresses import email_addresses
from accounts.pages.confirm_email import confirm_email

_View = Callable[..., HttpResponseBase]

# Looking at the addresses writes too: allauth adds a main address that is missing among them.
WRITING = {
    "account_email",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_generate_recovery_codes",
    "mfa_reauthenticate",
}
REPLACED = {"account_confirm_email": confirm_email, "account_email": email_addresses}


def _behind_lock(view: _View) -> _View:
    @wraps(view)
    def behind_lock(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return view(request, *args, **kwargs)
        with transaction.atomic():
            services.lock(request.user.pk)
            return view(request, *args, **kwargs)

    return behind_lock


def _ours(patterns: Sequence[URLPattern | URLResolver]) -> Iterator[URLPattern | URLResolver]:
    for each in patterns:
        if isinstance(each, URLResolver):
            inner = [*_ours(each.url_patterns)]
            yield URLResolver(each.pattern, inner, each.default_kwargs)
        else:
            view = REPLACED.get(each.name or "", each.callback)
            view = _behind_lock(view) if each.name in WRITING else view
            yield URLPattern(each.pattern, view, each.default_args, each.name)


urlpatterns = [*_ours(of_allauth)]
