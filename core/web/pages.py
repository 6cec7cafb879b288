"""Tools of the pages of all apps: limits, signing in, refusals, actions, and lists by page."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django_ratelimit.core import get_usage
from django_ratelimit.exceptions import Ratelimited

from core.errors import Busy, Conflict, Forbidden, Invalid

SAFE = ["GET", "HEAD", "OPTIONS"]
# Rows of a list on one page, where a row is short.
PER_PAGE = 50
_MINUTES = {"m": 1, "h": 60}

_Args = ParamSpec("_Args")
_Answer = TypeVar("_Answer", bound=HttpResponseBase)
_View = Callable[_Args, _Answer]


class TooManyRequests(Ratelimited):  # type: ignore[misc]  # the library has no types
    """A request beyond `count` in `minutes`. The next one is answered in `seconds` seconds."""

    def __init__(self, *, count: int, minutes: int, seconds: int) -> None:
        super().__init__()
        self.count, self.minutes, self.seconds = count, minutes, seconds


def limited(
    key: str, rate: str | Callable[[], str], method: list[str], *, group: str = ""
) -> Callable[[_View[_Args, _Answer]], _View[_Args, _Answer]]:
    """Limit the requests of a key (`ip`, `user`, `user_or_ip`) within a window of the clock.

    `rate` is a text such as `30/m`, `120/10m` or `30/h`; empty means no limit. Views of one `group`
    count together. Beyond the limit it raises TooManyRequests, which `RATELIMIT_VIEW` shows.
    """

    def decorator(view: _View[_Args, _Answer]) -> _View[_Args, _Answer]:
        own = group or f"{view.__module__}.{view.__qualname__}"

        @wraps(view)
        def counted(*args: _Args.args, **kwargs: _Args.kwargs) -> _Answer:
            request = cast(HttpRequest, args[0])
            wanted = rate if isinstance(rate, str) else rate()
            if wanted and request.method in method:
                count_request(request, group=own, key=key, rate=wanted, method=method)
            return view(*args, **kwargs)

        return counted

    return decorator


def count_request(
    request: HttpRequest, *, group: str, key: str, rate: str, method: list[str]
) -> None:
    """Count this request. TooManyRequests if there are too many. See `limited`."""
    usage = get_usage(request, group=group, key=key, rate=rate, method=method, increment=True)
    if usage and usage["should_limit"]:
        window = rate.partition("/")[2]
        minutes = int(window[:-1] or 1) * _MINUTES[window[-1]]
        seconds = max(usage["time_left"], 1)
        raise TooManyRequests(count=usage["limit"], minutes=minutes, seconds=seconds)


def signed_in_at(
    page: str, *parts: str
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Guard a POST-only view. Signing in leads to this page, where the form can be sent again.

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
    """Keep the page of a secret link from being stored, passed on or indexed.

    The link acts for any person who holds it. With `no-referrer` in force a browser posts `Origin:
    null`, which the CSRF check refuses. So the page itself says `same-origin` in a meta element.
    That wins over the header, and still tells other hosts nothing.
    """

    @wraps(view)
    def unshared(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return unshared


def _own_words(error: Conflict) -> str:
    return error.message


@contextmanager
def refusals_shown(
    request: HttpRequest, words: Callable[[Conflict], str] = _own_words
) -> Iterator[None]:
    """Show a refusal of the domain as a message, or as the page 403 where the act is not theirs.

    `words` puts a Conflict into words. NotFound passes: RefusalMiddleware makes the page 404 of it.
    """
    try:
        yield
    except Forbidden as error:
        raise PermissionDenied(error.message) from error
    except Conflict as error:
        messages.error(request, words(error))
    except (Busy, Invalid) as error:
        messages.error(request, error.message)


def action_view(
    page: str,
    *parts: str,
    words: Callable[[Conflict], str] = _own_words,
    back: Callable[..., str] | None = None,
    is_shown_there: bool = False,
) -> Callable[[Callable[..., str]], Callable[..., HttpResponseBase]]:
    """Make a view of a function that does one thing and returns the sentence that reports it.

    The view takes a POST of a signed-in person, shows the sentence or the refusal (`words`, see
    `refusals_shown`) as a message, and redirects: to the address that the form names in `next`, if
    it is our own, or else to `page`. `parts` are the arguments that the view has in common with
    that page. `back` gives another address instead, from the arguments of the view. Where the page
    itself shows why something was refused (`is_shown_there`), a refusal always leads to it. The
    function returns nothing where it has shown a message of its own.
    """

    def decorator(act: Callable[..., str]) -> Callable[..., HttpResponseBase]:
        @require_POST
        @signed_in_at(page, *parts)
        @wraps(act)
        def view(request: HttpRequest, **which: int) -> HttpResponseBase:
            is_done = False
            with refusals_shown(request, words):
                if said := act(request, **which):
                    messages.success(request, said)
                is_done = True
            if back is not None:
                return redirect(back(request, **which))
            own = reverse(page, kwargs={part: which[part] for part in parts})
            if is_shown_there and not is_done:
                return redirect(own)
            return redirect(own_address_or(own, request, request.POST.get("next", "")))

        return view

    return decorator


def page_of(
    request: HttpRequest,
    rows: Any,
    *,
    name: str = "page",
    per_page: int = PER_PAGE,
    count: int | None = None,
) -> Page[Any]:
    """Return the page of a list that the query asks for by this name, or the nearest existing page.

    `count` is the number of rows, if it costs less to count them without the columns shown.
    """
    paginator = Paginator(rows, per_page)
    if count is not None:
        paginator.count = count
    return paginator.get_page(request.GET.get(name))


def own_address_or(instead: str, request: HttpRequest, url: str) -> str:
    """Return the address that a form wants to go back to, if it is our own; else `instead`."""
    is_ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    # One without a slash would be taken for the name of a page.
    return url if is_ours and url.startswith("/") else instead


def checked(form: forms.Form) -> dict[str, Any]:
    """Return the values of a form that shows no errors beside its fields; Invalid on the first."""
    for field, errors in form.errors.items():
        raise Invalid(str(errors[0]), field=field)
    return form.cleaned_data
