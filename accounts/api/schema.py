"""How the OpenAPI document tells of bearer tokens and their scopes."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from accounts.api.permissions import scope_needed
from accounts.scopes import SCOPES


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its metaclass
    target_class = "accounts.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[Any]]:
        return {"bearer": [scope_needed(auto_schema.view, auto_schema.method)]}

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        scopes = "\n".join(f"- `{scope}`: {words}" for scope, words in SCOPES.items())
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "pat_…",
            "description": f"An API token. Its scopes, of which write implies read:\n\n{scopes}",
        }
