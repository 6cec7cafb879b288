"""Tools of the pages behind the sign-in: who calls, and a recent sign-in."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import User

_Args = ParamSpec("_Args")
_Answer = TypeVar("_Answer", bound=HttpResponseBase)


class SignedIn(HttpRequest):
    """A request behind `login_required`."""

    user: User


@reauthentication_required(app="allauth.account")  # type: ignore[untyped-decorator]
def _passed(request: HttpRequest) -> bool:
    return True


def is_recent(request: HttpRequest) -> bool:
    """Tell whether the person signed in, or entered their password again, a short while ago."""
    try:
        return bool(_passed(request))
    except ReauthenticationRequired:
        return False


def recent_sign_in(
    page: str = "", *parts: str
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Ask for the password first if the sign-in is not recent.

    So an open session is not enough to give somebody else lasting access. After that the browser
    comes to `page`, or to the same URL if none is named. `parts` are the arguments that the view
    has in common with the page. The posted form is not repeated automatically: otherwise a forged
    form would be confirmed by the password of its victim.
    """

    def guard(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, **which: int) -> HttpResponseBase:
            if is_recent(request):
                return view(request, **which)
            back = reverse(page, kwargs={part: which[part] for part in parts}) if page else ""
            return ask_again(request, back=back or request.get_full_path())

        return guarded

    return guard


def ask_again(request: HttpRequest, *, back: str) -> HttpResponse:
    """Redirect to the page that asks for the password, and from there to `back`."""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    if request.method == "POST":
        said = gettext(
            "Nothing has been changed yet. Enter your password, then send the form again."
        )
        messages.info(request, said)
    return redirect(f"{methods[0]['url']}?{urlencode({'next': back})}")
