"""Permissions of tokens: every view declares the `scope` that it needs."""

from typing import TYPE_CHECKING, cast

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.api.authentication import Bearer

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.views import APIView


def scope_needed(view: "APIView", method: str) -> str:
    """Return `users:read` or `users:write` for a view with `scope = "users"`.

    A view that names a whole scope needs it for every method. Empty without a scope.
    """
    scope: str = getattr(view, "scope", "")
    if ":" in scope:
        return scope
    return scope and f"{scope}:{'read' if method in SAFE_METHODS else 'write'}"


class HasScope(BasePermission):
    """Refuses a token without the view's scope, and every caller if the view declares no scope."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        bearer = cast(Bearer | None, request.auth)
        scope = scope_needed(view, request.method or "")
        if bearer is None or not scope:
            return False
        if not bearer.allows(scope):
            raise PermissionDenied(f"This token lacks the scope {scope}.", "insufficient_scope")
        return True
