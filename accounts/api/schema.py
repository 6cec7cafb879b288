"""Bearer tokens, OAuth and their scopes in the OpenAPI document."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from accounts.api.permissions import scope_needed
from accounts.models.scopes import SCOPES


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its metaclass
    target_class = "accounts.api.authentication.BearerAuthentication"
    name = ["bearer", "oauth2"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        needed = scope_needed(auto_schema.view, auto_schema.method)
        return [{name: [needed]} for name in self.name]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        scopes = "\n".join(f"- `{scope}`: {words}" for scope, words in SCOPES.items())
        token_url = settings.PUBLIC_URL + reverse("oauth2_provider:token")
        code = {
            "authorizationUrl": settings.PUBLIC_URL + reverse("oauth2_provider:authorize"),
            "tokenUrl": token_url,
            "refreshUrl": token_url,
            "scopes": {scope: str(words) for scope, words in SCOPES.items()},
        }
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "pat_…",
                "description": (
                    f"An API token. Its scopes, of which write implies read:\n\n{scopes}"
                ),
            },
            {
                "type": "oauth2",
                "description": "For an application that others connect. Always with PKCE (S256).",
                "flows": {"authorizationCode": code},
            },
        ]
