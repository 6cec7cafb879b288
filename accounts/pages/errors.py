"""Pages about the caller, whoever it is."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def too_many_requests(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What django-ratelimit shows to whom it refused; allauth's limits show the same template."""
    return render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)
