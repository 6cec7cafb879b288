"""Settings: email addresses. The page is allauth's."""

from collections.abc import Callable

from allauth.account.views import email
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from accounts.domain import account_mails
from accounts.domain.account_mails import About
from accounts.pages.readers import reader_of


def email_addresses(request: HttpRequest) -> HttpResponseBase:
    """Show and change the addresses. A mailbox that has had enough gets no further link."""
    page: Callable[[HttpRequest], HttpResponseBase] = email
    if "action_send" in request.POST and "action_add" not in request.POST:
        address, reader = request.POST.get("email", ""), reader_of(request)
        if problem := account_mails.refusal(
            address, About.ADDRESS, now=timezone.now(), reader=reader
        ):
            messages.error(request, problem)
            return redirect("account_email")
    return page(request)
