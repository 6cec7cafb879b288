"""OAuth 2.0: hooks for django-oauth-toolkit, with rules that are stricter than its own."""

import hashlib
import hmac
import re
import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import Application, Grant, RefreshToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError

from accounts.domain import applications, leaks, redirect_uris, services
from accounts.models import ACCESS_PREFIX, REFRESH_PREFIX, new_token, scopes
from core.db.crypto import digest

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


def new_access_token(request: Request, refresh_token: bool = False) -> str:
    return new_token(ACCESS_PREFIX)


def new_refresh_token(request: Request) -> str:
    return new_token(REFRESH_PREFIX)


class Scopes(BaseScopes):
    """The scopes of the API. An application that asks for no scope gets none."""

    def get_all_scopes(self) -> dict[str, str]:
        return {name: str(words) for name, words in scopes.SCOPES.items()}

    def get_available_scopes(self, *args: Any, **kwargs: Any) -> list[str]:
        return list(scopes.SCOPES)

    def get_default_scopes(self, *args: Any, **kwargs: Any) -> list[str]:
        return []


def family_of(code: str) -> uuid.UUID:
    """Return the family of all tokens of a code. They end by it if the code is used again."""
    return uuid.UUID(bytes=hashlib.sha256(code.encode()).digest()[:16])


class Validator(OAuth2Validator):
    """The toolkit's validator, which also refuses people who were deactivated.

    A code or a refresh token is used up in the transaction that makes tokens from it, under a lock
    of the person. So of two requests with the same one, one is refused and all tokens end (RFC
    6749, 4.1.2; RFC 9700, 4.14.2). No token is made while the person disconnects the application.
    """

    def _load_application(self, client_id: str | None, request: Request) -> Application | None:
        """Load an application whose owner's account is active. Any other counts as unknown."""
        if not isinstance(request.client, Application) or request.client.client_id != client_id:
            known = client_id and "\0" not in client_id
            found = Application.objects.filter(client_id=client_id, user__is_active=True)
            request.client = found.first() if known else None
        return request.client

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        """Compare digests. A plain digest is safe for a random secret, which nobody can guess."""
        return bool(stored_secret) and hmac.compare_digest(digest(provided_secret), stored_secret)

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return redirect_uris.allowed(redirect_uri, request.client.redirect_uris.split())

    def validate_scopes(
        self,
        client_id: str,
        scopes: list[str],
        client: Application,
        request: Request,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        """Accept only known scopes, and at least one."""
        return bool(scopes) and bool(super().validate_scopes(client_id, scopes, client, request))

    def validate_code(
        self,
        client_id: str,
        code: str,
        client: Application,
        request: Request,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        """Accept a code that has not expired. An unknown code may have been used: end its tokens.

        The code's row is kept on the request, because another request may use the code up before
        the next step.
        """
        found = Grant.objects.filter(code=code, application=client).select_related("user").first()
        if found is None:
            leaks.come_again(family=family_of(code), now=timezone.now())
            return False
        request.grant, request.user, request.scopes = found, found.user, found.scope.split()
        return not found.is_expired() and bool(found.user.is_active)

    def get_code_challenge(self, code: str, request: Request) -> str:
        return str(request.grant.code_challenge)

    def get_code_challenge_method(self, code: str, request: Request) -> str:
        return str(request.grant.code_challenge_method)

    def confirm_redirect_uri(
        self,
        client_id: str,
        code: str,
        redirect_uri: str,
        client: Application,
        request: Request,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        return bool(request.grant.redirect_uri == redirect_uri)

    def validate_refresh_token(
        self, refresh_token: str, client: Application, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Refuse a used refresh token, and end all tokens of the same consent."""
        row = applications.find_token(refresh_token)
        if not isinstance(row, RefreshToken):
            return False
        if row.revoked is not None:
            leaks.come_again(family=row.token_family, now=timezone.now())
            return False
        good = super().validate_refresh_token(refresh_token, client, request)
        return good and bool(request.user.is_active)

    def save_bearer_token(
        self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        with transaction.atomic():
            good = self._use_up(request)
            if good:
                family = self._family(request)
                super().save_bearer_token(token, request, *args, **kwargs)
                if request.grant_type == "authorization_code":
                    made = RefreshToken.objects.filter(
                        token_checksum=digest(token["refresh_token"])
                    )
                    made.update(token_family=family)
                    applications.start(
                        person=request.user, application=request.client, now=timezone.now()
                    )
                else:
                    applications.forget_used(person=request.user, family=family)
        if not good:
            leaks.come_again(family=self._family(request), now=timezone.now())
            raise InvalidGrantError(request=request)

    def _use_up(self, request: Request) -> bool:
        person = services.lock_kept(request.user.pk)
        if person is None or not person.is_active:
            return False
        if request.grant_type == "authorization_code":
            code = Grant.objects.filter(code=request.code, application=request.client)
            return bool(code.delete()[0])
        own = RefreshToken.objects.filter(pk=request.refresh_token_instance.pk, revoked=None)
        return bool(own.exists())

    def _family(self, request: Request) -> uuid.UUID:
        if request.grant_type == "authorization_code":
            return family_of(request.code)
        family: uuid.UUID = request.refresh_token_instance.token_family
        return family

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """Do nothing: the code was deleted when its tokens were made."""

    def revoke_token(
        self, token: str, token_type_hint: str | None, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """Revoke a token with all tokens of the same consent.

        Ignore another application's token.
        """
        row = applications.find_token(token)
        if row is not None and row.application_id == request.client.pk:
            applications.end(token=row, actor=None, now=timezone.now())
