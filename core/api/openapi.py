"""The view that serves the OpenAPI document."""

from functools import cache

from django.conf import settings
from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from core.api.rendering import OrjsonRenderer, dumps


@cache
def _written(urlconf: str) -> bytes:
    """Return the document of these URLs.

    Each process makes it once, because that takes longer than many answers.
    """
    with translation.override("en"):
        generator = SchemaGenerator(urlconf=urlconf)  # type: ignore[no-untyped-call]  # it has no types
        return dumps(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


class Document(SpectacularAPIView):
    """Answer every caller with the same document."""

    renderer_classes = [OrjsonRenderer]

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: object, **kwargs: object) -> HttpResponse:
        disposition = {"Content-Disposition": 'inline; filename="Parley API.json"'}
        return HttpResponse(
            _written(settings.ROOT_URLCONF), "application/json", headers=disposition
        )
