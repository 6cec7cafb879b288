"""QR codes of public pages."""

from functools import lru_cache
from io import BytesIO

import segno
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import User
from core.web.pages import SAFE, limited
from scheduling.models import EventType

# The kinds of file: their types, and how large a module is, in pixels.
_KINDS = {"svg": ("image/svg+xml", 8), "png": ("image/png", 16)}
# The light edge that readers need, in modules.
_BORDER = 4
_A_DAY = 24 * 60 * 60


@require_safe
@limited("ip", "120/m", SAFE, group="qr")
def qr_of_host(request: HttpRequest, username: str, kind: str) -> HttpResponse:
    """Return the QR code of a host's public page."""
    if not User.objects.filter(username=username, is_active=True).exists():
        raise Http404("user not found")
    return _code(reverse("public:host", args=[username]), kind)


@require_safe
@limited("ip", "120/m", SAFE, group="qr")
def qr_of_event_type(request: HttpRequest, username: str, slug: str, kind: str) -> HttpResponse:
    """Return the QR code of the public page of an event type that can be booked."""
    offered = EventType.objects.bookable().filter(host__username=username, slug=slug)
    if not offered.exists():
        raise Http404("event type not found")
    return _code(reverse("public:event_type", args=[username, slug]), kind)


def _code(page: str, kind: str) -> HttpResponse:
    if kind not in _KINDS:
        raise Http404("no such file")
    content_type, _size = _KINDS[kind]
    drawn = _drawn(settings.PUBLIC_URL + page, kind)
    response = HttpResponse(drawn, content_type=content_type)
    response["Cache-Control"] = f"public, max-age={_A_DAY}"
    return response


@lru_cache(maxsize=256)
def _drawn(url: str, kind: str) -> bytes:
    file, (_type, size) = BytesIO(), _KINDS[kind]
    code = segno.make_qr(url, error="m")
    code.save(file, kind=kind, scale=size, border=_BORDER, light="#fff")
    return file.getvalue()
