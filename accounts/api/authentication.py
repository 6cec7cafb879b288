"""Bearer tokens of API requests: personal API tokens and access tokens of OAuth."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest
from django.utils import timezone
from oauth2_provider.models import AccessToken
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.domain import services
from accounts.models import ACCESS_PREFIX, TOKEN_PREFIX, ApiToken, User, checksum_holds, scopes
from core.db.crypto import digest
from core.db.prepared import Prepared

_REMEMBERED = "parley.bearer"
# Asked by every request.
_USABLE = Prepared(
    lambda digest, now: (
        ApiToken.objects.usable(now).filter(digest=digest).select_related("user").order_by()
    )
)
_GIVEN = Prepared(
    lambda digest, now: AccessToken.objects.filter(
        token_checksum=digest,
        expires__gt=now,
        user__is_active=True,
        application__user__is_active=True,
    ).select_related("user")
)


@dataclass(frozen=True)
class Bearer:
    """The owner of a usable token, and the scopes of the token."""

    user: User
    scopes: Collection[str]

    @property
    def user_id(self) -> int:
        return self.user.pk

    def allows(self, scope: str) -> bool:
        return scopes.allows(self.scopes, scope)


def authenticate(request: HttpRequest | Request) -> Bearer | None:
    """Return the owner of the request's token, or None. It is looked up once per request.

    A text that cannot be one of Parley's tokens costs no query.
    """
    if _REMEMBERED not in request.META:
        request.META[_REMEMBERED] = _look_up(request.META.get("HTTP_AUTHORIZATION", ""))
    return cast(Bearer | None, request.META[_REMEMBERED])


def _look_up(header: str) -> Bearer | None:
    scheme, _, token = header.partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not checksum_holds(token):
        return None
    if token.startswith(TOKEN_PREFIX):
        return _made_by_hand(token)
    return _given_by_oauth(token) if token.startswith(ACCESS_PREFIX) else None


def _made_by_hand(token: str) -> Bearer | None:
    now = timezone.now()
    for found in _USABLE.objects(digest=digest(token), now=now):
        if found.is_use_stale(now):
            services.note_use(token=found, now=now)
        return Bearer(found.user, found.scopes)
    return None


def _given_by_oauth(token: str) -> Bearer | None:
    for found in _GIVEN.objects(digest=digest(token), now=timezone.now()):
        return Bearer(found.user, found.scope.split())
    return None


class BearerAuthentication(BaseAuthentication):
    """Authentication by the bearer token that the API's middleware has already read."""

    def authenticate(self, request: Request) -> tuple[User, Bearer] | None:
        bearer = authenticate(request)
        return (bearer.user, bearer) if bearer else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def caller(request: Request) -> User:
    """Return the owner of the token, in a view that `HasScope` guards."""
    return cast(Bearer, request.auth).user
