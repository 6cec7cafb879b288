"""URL table with paths that fail in every way, beside the real ones."""

from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config import urls
from core.errors import Conflict, Forbidden, Invalid, NotFound

ERRORS = {
    "invalid": Invalid("The start is off the grid.", field="start_time"),
    "missing": NotFound("event not found"),
    "forbidden": Forbidden("Only the host can do that."),
    "conflict": Conflict("That time is no longer free.", reason="busy"),
    "http404": Http404("No Event matches the given query."),
    "denied": PermissionDenied("Inner words."),
    "suspicious": SuspiciousOperation("Inner words."),
    "model": ValidationError({"name": ["Too long."], "url": ["No URL."]}),
    "crash": ZeroDivisionError("Inner words."),
}


class Failing(APIView):
    permission_classes = (AllowAny,)

    def get(self, request: Request, name: str) -> Response:
        raise ERRORS[name]


class Empty(APIView):
    scope = "users"

    def get(self, request: Request) -> Response:
        return Response({})


class Unscoped(APIView):
    def get(self, request: Request) -> Response:
        return Response({"secret": "seen"})


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<p>Not well.</p>", status=503)


def broken(request: HttpRequest) -> HttpResponse:
    connection.cursor().execute("SELECT * FROM nowhere")
    return HttpResponse()


probes = [
    path("fail/<str:name>", Failing.as_view()),
    path("empty", Empty.as_view()),
    path("unscoped", Unscoped.as_view()),
    path("page", page),
    path("broken", broken),
]
handler500 = urls.handler500
urlpatterns = [
    path("api/v1/", include(probes)),
    path("api/v3/meeting/", include(probes)),
    path("outside", page),
    *urls.urlpatterns,
]
