"""Error pages about the caller, for people with and without an account."""

from datetime import timedelta
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import ngettext

from accounts.pages.readers import reader_of
from core.text import times
from core.web.pages import TooManyRequests


def too_many_requests(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show the limit and the time of its end.

    Requests beyond allauth's own limits get the same template without these.
    """
    context = {}
    if isinstance(exception, TooManyRequests):
        until = timezone.now() + timedelta(seconds=exception.seconds)
        context["limit"] = ngettext(
            "We answer %(count)d of these requests in a minute. Try again from %(until)s.",
            "We answer %(count)d of these requests in %(minutes)d minutes. Try again from"
            " %(until)s.",
            exception.minutes,
        ) % {
            "count": exception.count,
            "minutes": exception.minutes,
            "until": times.deadline(until, reader_of(request)),
        }
    response = render(request, "429.html", context, status=HTTPStatus.TOO_MANY_REQUESTS)
    if isinstance(exception, TooManyRequests):
        response["Retry-After"] = str(exception.seconds)
    return response
