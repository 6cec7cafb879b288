"""Pages for refusals that views leave alone: what is not there, and accounts that are closed."""

from collections.abc import Callable

from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.sessions.backends.base import UpdateError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from accounts.pages.signed_in import ask_again
from core.errors import AccountClosed, NotFound


class RefusalMiddleware:
    """Answer a refusal by another page.

    It stands inside allauth's middleware, which would repeat a form by itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        match error:
            case ReauthenticationRequired() if request.user.is_authenticated:
                return ask_again(request, back=request.get_full_path())
            case AccountClosed():
                return redirect("account_inactive")
            case UpdateError():  # the person of this session was deleted meanwhile
                request.session.flush()
                return redirect("account_inactive")
            case NotFound():
                raise Http404(error.message) from error
        return None
