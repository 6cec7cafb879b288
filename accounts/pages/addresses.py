"""Settings: email addresses. The page is allauth's, which counts them but locks nobody."""

from collections.abc import Callable

from allauth.account.views import email
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts import services


def email_addresses(request: HttpRequest) -> HttpResponseBase:
    """Change one address at a time, so that two requests cannot pass the limit together."""
    page: Callable[[HttpRequest], HttpResponseBase] = email
    person = request.user.pk if request.method == "POST" else None
    if person is None:
        return page(request)
    with transaction.atomic():
        services.lock(person)
        return page(request)
