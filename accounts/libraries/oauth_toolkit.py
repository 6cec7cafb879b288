"""OAuth 2.0: what django-oauth-toolkit asks of us, and where we are stricter than it is."""

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
    """The scopes of the API; an application that asks for none in particular gets none."""

    def get_all_scopes(self) -> dict[str, str]:
        return {name: str(words) for name, words in scopes.SCOPES.items()}

    def get_available_scopes(self, *args: Any, **kwargs: Any) -> list[str]:
        return list(scopes.SCOPES)

    def get_default_scopes(self, *args: Any, **kwargs: Any) -> list[str]:
        return []


def family_of(code: str) -> uuid.UUID:
    """The family of all tokens that come of a code, by which they end should it come again."""
    return uuid.UUID(bytes=hashlib.sha256(code.encode()).digest()[:16])


class Validator(OAuth2Validator):
    """The toolkit's, which knows nothing of people who were deactivated.

    A code and a refresh token are used up in the transaction that makes tokens of them, behind a
    lock of the person. So of two who come with the same, one is refused and all tokens end
    (RFC 6749, 4.1.2; RFC 9700, 4.14.2), and nothing is made behind the back of a disconnection.
    """

    def _load_application(self, client_id: str | None, request: Request) -> Application | None:
        """Of somebody whose account is active; else it counts as unknown."""
        if not isinstance(request.client, Application) or request.client.client_id != client_id:
            known = client_id and "\0" not in client_id
            found = Application.objects.filter(client_id=client_id, user__is_active=True)
            request.client = found.first() if known else None
        return request.client

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        """Of a secret that a person could not remember, a plain digest tells nothing."""
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
        """Known ones, and at least one."""
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
        """One that is not there any more may have been used: then all that came of it ends.

        What the code stands for is remembered: by the next question another may have used it up.
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
        """One that was used already ends all that came of it."""
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
        """It went with what was made of it."""

    def revoke_token(
        self, token: str, token_type_hint: str | None, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """With all that came of the same consent; another application's is left alone."""
        row = applications.find_token(token)
        if row is not None and row.application_id == request.client.pk:
            applications.end(token=row, actor=None, now=timezone.now())
