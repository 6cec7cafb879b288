"""Who calls: the bearer token of a request."""

from typing import cast

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.models import ApiToken, User, checksum_holds, token_digest

_REMEMBERED = "parley.api_token"


def authenticate(request: HttpRequest) -> ApiToken | None:
    """The usable token that the request bears, or None; looked up once per request.

    A text that cannot be a token of ours costs no query.
    """
    if _REMEMBERED not in request.META:
        request.META[_REMEMBERED] = _look_up(request.META.get("HTTP_AUTHORIZATION", ""))
    return cast(ApiToken | None, request.META[_REMEMBERED])


def _look_up(header: str) -> ApiToken | None:
    scheme, _, token = header.partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not checksum_holds(token):
        return None
    now = timezone.now()
    usable = ApiToken.objects.usable(now).select_related("user")
    found = usable.filter(digest=token_digest(token)).first()
    if found and found.is_use_stale(now):
        ApiToken.objects.filter(pk=found.pk).touch(now)
    return found


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer pat_...`, as the API's middleware has already read it."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        token = authenticate(request._request)
        return (token.user, token) if token else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def caller(request: Request) -> User:
    """Whose token this is, in a view that `HasScope` guards."""
    return cast(ApiToken, request.auth).user
