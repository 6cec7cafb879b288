"""Answer to an error that no view expects: 503 where it can succeed later, otherwise 500.

The API's middleware gives either answer the API's own format.
"""

import sys

import structlog
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from core.db import outages
from core.db.retrying import sqlstate
from core.ops import private_names

log = structlog.get_logger(__name__)


def crashed(request: HttpRequest) -> HttpResponse:
    """Return the page for the error that is being handled, as `handler500` of the URLs."""
    error = sys.exception()
    if not outages.is_outage(error):
        return server_error(request)
    log.warning(
        "database_away", error=type(error).__name__, sqlstate=sqlstate(error) if error else ""
    )
    response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = str(outages.RETRY_SECONDS)
    private_names.mark_as_logged(response)  # the line above; it is no fault of the application
    return response
