"""Private names of libraries that Parley depends on, each in one place.

A library may change a private name in any release. `tests/core/test_private_names.py` fails when it
does, and fails when another module uses one. A hook that a class must override cannot stand here:
`OVERRIDDEN` lists those.

The settings are read with this module loaded, so each function imports its library late.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite, ModelAdmin
    from django.contrib.sessions.backends.base import SessionBase
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from drf_spectacular.openapi import AutoSchema
    from drf_spectacular.utils import Direction
    from rest_framework.fields import Field
    from rest_framework.serializers import BaseSerializer

# Our class: the class of the library, and the hooks that our class overrides.
OVERRIDDEN = {
    # drf-spectacular 0.30. It takes each action called `list` for a bare array, without a setting.
    "core.api.schema.ApiSchema": (
        "drf_spectacular.openapi.AutoSchema",
        {"_is_list_view"},
    ),
    # Django 5.2. The public `load` cannot tell a session that it has no row.
    "accounts.domain.sessions.SessionStore": (
        "django.contrib.sessions.backends.db.SessionStore",
        {"_get_session_from_db"},
    ),
    # django-oauth-toolkit 3.4. No public hook reads the application or compares its secret.
    "accounts.libraries.oauth_toolkit.Validator": (
        "oauth2_provider.oauth2_validators.OAuth2Validator",
        {"_check_secret", "_load_application"},
    ),
    # Django 5.2. The constructor reads the content type; no public hook comes before that.
    "core.web.handler.Utf8Request": (
        "django.core.handlers.wsgi.WSGIRequest",
        {"_set_content_type_params"},
    ),
}


def person_in_loaded_session(request: "HttpRequest") -> int | None:
    """Return the id of the person in the session, if the request has read it; else None.

    Django 5.2. The public methods of a session read it from the database, which may be away.
    """
    from django.contrib.auth import SESSION_KEY

    loaded = getattr(getattr(request, "session", None), "_session_cache", {})
    person: str | None = loaded.get(SESSION_KEY)
    return int(person) if person else None


def drop_session_key(session: "SessionBase") -> None:
    """Have the session take a new key when it is saved.

    Django 5.2. The public `session_key` cannot be set, and `flush` deletes the cookie as well.
    """
    session._session_key = None


def mark_as_logged(response: "HttpResponseBase") -> None:
    """Keep Django from logging this response as an error of the application.

    Django 5.2. Its public way is a filter of its logger, which does not see the response.
    """
    response._has_been_logged = True  # type: ignore[attr-defined]  # not in the stubs


def staff_tables(site: "AdminSite") -> "list[ModelAdmin[Any]]":
    """Return the tables of a staff site in the order in which they were registered.

    Django 5.2. The public `get_app_list` sorts by name, and checks the permissions of a request.
    """
    return list(site._registry.values())


def describe_field(
    schema: "AutoSchema", field: "Field[Any, Any, Any, Any]", way: "Direction"
) -> Any:
    """Return the OpenAPI schema of a field.

    drf-spectacular 0.30. Its own guide has extensions call this method; there is no other.
    """
    return schema._map_serializer_field(field, way)  # type: ignore[no-untyped-call]


def describe_serializer(
    schema: "AutoSchema", serializer: "BaseSerializer[Any] | type", way: "Direction"
) -> dict[str, Any]:
    """Return the OpenAPI schema of a serializer without its extension.

    drf-spectacular 0.30. The public `resolve_serializer` would call the extension again.
    """
    described: dict[str, Any] = schema._map_serializer(  # type: ignore[no-untyped-call]
        serializer, way, bypass_extensions=True
    )
    return described


def firebase_retries() -> Any:
    """Return the retry rules of Firebase's client, which its apps copy when they are made.

    firebase-admin 7.7. No public option sets them.
    """
    from firebase_admin import _http_client

    return _http_client.DEFAULT_RETRY_CONFIG


def firebase_messages() -> Any:
    """Return the class whose `FCM_URL` is where push messages go.

    firebase-admin 7.7. No public option sets the endpoint.
    """
    from firebase_admin import messaging

    return messaging._MessagingService
