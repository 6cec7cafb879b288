"""Everything below /api/, and the OpenAPI document that describes it."""

from csp.constants import NONCE
from csp.decorators import csp_update
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularSwaggerSplitView

from core.api import errors
from core.api.openapi import Document

docs = SpectacularSwaggerSplitView.as_view(
    url_name="api-schema", template_name="api/docs.html", template_name_js="api/docs.js"
)
# The page has one style of its own, which its nonce admits. It calls the server that the document
# names, which has another origin when an operator opens the page by another name.
docs_page = decorator_from_middleware(CSPMiddleware)(
    csp_update({"style-src": [NONCE], "connect-src": [settings.PUBLIC_URL]})(docs)
)


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """Any other path, by any method: an answer that needs no page of Django's to be rendered."""
    return errors.answer(request.path_info, 404)


urlpatterns = [
    path("schema", Document.as_view(), name="api-schema"),
    path("docs", docs_page, name="api-docs"),
    # First what is asked for most.
    path("v1/", include("scheduling.api.urls")),
    path("v1/", include("webhooks.api.urls")),
    path("v1/", include("calendars.api.urls")),
    path("v1/", include("accounts.api.urls")),
    path("v3/meeting/", include("meetings.api.urls")),
    re_path("", unknown),
]
