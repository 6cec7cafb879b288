"""What pages share, whoever's they are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_ratelimit.decorators import ratelimit

from config.errors import Busy, Conflict, Forbidden, Invalid

SAFE = ["GET", "HEAD", "OPTIONS"]
# Rows of a list on one page, where a row is short.
PER_PAGE = 50

_Args = ParamSpec("_Args")
_Answer = TypeVar("_Answer", bound=HttpResponseBase)
_View = Callable[_Args, _Answer]


def limited(
    key: str, rate: str, method: list[str]
) -> Callable[[_View[_Args, _Answer]], _View[_Args, _Answer]]:
    """The decorator of django-ratelimit, which knows no types. Refused: `RATELIMIT_VIEW`."""
    decorator: Callable[[_View[_Args, _Answer]], _View[_Args, _Answer]] = ratelimit(
        key=key, rate=rate, method=method
    )
    return decorator


def signed_in_at(
    page: str, *parts: str
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """For what only a POST does: signing in leads to this page, from which it can be sent again.

    `parts` are the arguments that the view has in common with the page.
    """

    def signed_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def signed_in(request: HttpRequest, **which: int) -> HttpResponseBase:
            if request.user.is_authenticated:
                return view(request, **which)
            return redirect_to_login(reverse(page, kwargs={part: which[part] for part in parts}))

        return signed_in

    return signed_in


def unshared(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """An address that acts for whoever holds it is neither stored, nor passed on, nor indexed.

    With `no-referrer` in force a browser posts `Origin: null`, which the CSRF check refuses; so the
    page itself says `same-origin` in a meta element. That wins over the header, and still tells
    other hosts nothing.
    """

    @wraps(view)
    def unshared(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return unshared


@contextmanager
def refusals_shown(request: HttpRequest, words: Callable[[Conflict], str]) -> Iterator[None]:
    """What the domain refuses becomes a message, or the page 403 where it is not theirs to do.

    `words` says it of what was fine in itself, but not as things stand.
    """
    try:
        yield
    except Forbidden as error:
        raise PermissionDenied(error.message) from error
    except Conflict as error:
        messages.error(request, words(error))
    except (Busy, Invalid) as error:
        messages.error(request, error.message)


def page_of(
    request: HttpRequest,
    rows: Any,
    *,
    name: str = "page",
    per_page: int = PER_PAGE,
    count: int | None = None,
) -> Page[Any]:
    """Return the page of a list that the query asks for by this name, or else the nearest one.

    `count` is how many rows there are, where it costs less to count them without what is shown.
    """
    paginator = Paginator(rows, per_page)
    if count is not None:
        paginator.count = count
    return paginator.get_page(request.GET.get(name))


def ours_or(instead: str, request: HttpRequest, url: str) -> str:
    """The address that a form wants to go back to, if it is one of ours."""
    is_ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    # One without a slash would be taken for the name of a page.
    return url if is_ours and url.startswith("/") else instead


def checked(form: forms.Form) -> dict[str, Any]:
    """The values of a form without errors of its own beside its fields; Invalid on the first."""
    for field, errors in form.errors.items():
        raise Invalid(str(errors[0]), field=field)
    return form.cleaned_data
