"""Pictures of people, at addresses that change with the picture."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.models import Picture
from core.web.pages import SAFE, limited


@require_safe
@limited("ip", "600/m", SAFE)
def picture(request: HttpRequest, digest: str) -> HttpResponse:
    """Answer with a picture. Anybody who knows its address may see it, as on a public page."""
    found = Picture.objects.filter(digest=digest, user__is_active=True).first()
    if found is None:
        raise Http404("no picture")
    response = HttpResponse(bytes(found.data), content_type="image/webp")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
