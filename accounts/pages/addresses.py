"""Settings: email addresses. The page is allauth's, which counts them but locks nobody."""

from collections.abc import Callable

from allauth.account.views import email
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from accounts import mailboxes, services
from accounts.readers import reader_of


def email_addresses(request: HttpRequest) -> HttpResponseBase:
    """Change one address at a time, so that two requests cannot pass the limit together."""
    page: Callable[[HttpRequest], HttpResponseBase] = email
    person = request.user.pk if request.method == "POST" else None
    if person is None:
        return page(request)
    if "action_send" in request.POST and "action_add" not in request.POST:
        address, reader = request.POST.get("email", ""), reader_of(request)
        if problem := mailboxes.refusal(address, now=timezone.now(), reader=reader):
            messages.error(request, problem)
            return redirect("account_email")
    with transaction.atomic():
        services.lock(person)
        return page(request)
