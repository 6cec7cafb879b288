"""The language in which a request is answered."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header


class LanguageMiddleware:
    """Use the person's own language, else the one chosen on a page, else the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        own = getattr(request.user, "language", "")
        language = own or translation.get_language_from_request(request)
        with translation.override(language):
            response = self._get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def region_of(request: HttpRequest) -> str:
    """Return the country that the browser names with this page's language: `GB` of `en-GB`.

    Only the browser's first language counts. Empty if it names no country.
    """
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    language, _dash, rest = (accepted[0][0] if accepted else "").partition("-")
    region = rest.rpartition("-")[2].upper()
    is_a_country = len(region) == 2 and region.isascii() and region.isalpha()
    return region if is_a_country and language == translation.get_language() else ""
