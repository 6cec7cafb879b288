"""Endpoints of OAuth 2.0: people allow an application, and the application gets its tokens."""

import json
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict, UnreadablePostError
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from django_ratelimit.exceptions import Ratelimited
from oauth2_provider.settings import oauth2_settings
from oauthlib.common import Request, add_params_to_uri
from oauthlib.oauth2 import WebApplicationServer
from oauthlib.oauth2.rfc6749 import errors

from accounts.domain import applications, redirect_uris, services
from accounts.libraries.oauth_toolkit import CHALLENGE, Validator
from accounts.models import scopes
from accounts.pages.signed_in import ask_again, is_recent
from core.api import cors
from core.web.pages import limited

# The parameters that each endpoint reads. All others are ignored (RFC 6749, 3.1 and 3.2).
_CLIENT = ("client_id", "client_secret")
_AUTHORIZE = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
_TOKEN = (
    *_CLIENT,
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
)
_ONE_TOKEN = (*_CLIENT, "token", "token_type_hint")
_GRANTS = ("authorization_code", "refresh_token")

_FORM = "application/x-www-form-urlencoded"
_HERE = "https://parley.invalid/"  # for oauthlib, which wants an address

_Endpoint = Callable[[HttpRequest], HttpResponse]


def _server() -> WebApplicationServer:
    """Return a server for the authorization code grant with PKCE, and for refreshing only."""
    return WebApplicationServer(Validator(), **oauth2_settings.server_kwargs)


def _heeded(sent: QueryDict, names: Collection[str]) -> dict[str, str]:
    """Return these parameters. One without a value is left out; one that comes twice is refused."""
    for name in names:
        values = sent.getlist(name)
        if len(values) > 1:
            raise errors.InvalidRequestFatalError(description=f"Duplicate {name} parameter.")
        if "\0" in "".join(values):
            raise errors.InvalidRequestFatalError(description=f"Invalid {name} parameter value.")
    return {name: value for name in names if (value := sent.get(name))}


# --- for people ---------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@limited("user", "60/h", ["POST"])
@never_cache
def authorize(request: HttpRequest) -> HttpResponseBase:
    """Show the application and its requested scopes. Allow and deny both lead back to it.

    The person is asked each time. Nothing distinguishes a program on their computer from another
    with the same `client_id` (RFC 8252, 8.6), and a GET changes nothing. The form goes to the same
    URL, so the consent matches the request, and the request is checked again.
    """
    refused = ""
    try:
        uri = f"{_HERE}?{urlencode(_heeded(request.GET, _AUTHORIZE))}"
        asked, info = _server().validate_authorization_request(uri)
        _require_challenge(info)
    except errors.FatalClientError as error:
        # The author of a false link may also have chosen its redirect URI: redirect nobody to it.
        return render(request, "accounts/consent_broken.html", {"error": error}, status=400)
    except errors.OAuth2Error as error:
        refused = error.in_uri(error.redirect_uri)
    # First of all: otherwise a link to Parley would lead strangers to any site (RFC 9700, 4.11.2).
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if refused:
        return _sent_back(refused)
    # An application that is allowed acts for them long after this session has ended.
    if request.POST.get("answer", "allow") == "allow" and not is_recent(request):
        return ask_again(request, back=request.get_full_path())
    wanted = list(dict.fromkeys(asked))
    oauth_request = info.pop("request")
    application, now = oauth_request.client, timezone.now()
    if request.method == "POST":
        if request.POST.get("answer") == "allow":
            onward = _allow(request.user, uri, wanted, info, application)
        else:
            denied = errors.AccessDeniedError(request=oauth_request)
            onward = denied.in_uri(oauth_request.redirect_uri)
        return _sent_back(onward)
    context = {
        "application": application,
        "allows": scopes.in_words(wanted),
        "host": redirect_uris.host_of(oauth_request.redirect_uri),
        "was_connected": applications.is_connected(
            person=request.user, application=application, now=now
        ),
        "here": request.get_full_path(),
    }
    # Browsers apply it to where the answer to a form leads, too.
    form_action = redirect_uris.form_action(oauth_request.redirect_uri)

    @csp_update({"form-action": [form_action]})
    def consent(request: HttpRequest) -> HttpResponseBase:
        return render(request, "accounts/consent.html", context)

    return consent(request)


def _allow(person: Any, uri: str, wanted: list[str], info: Any, application: Any) -> str:
    """Let the application act for this person. Return the URL that gives it its code."""
    with transaction.atomic():
        services.lock(person.pk)
        headers, _body, _status = _server().create_authorization_response(
            uri, scopes=wanted, credentials={**info, "user": person}
        )
        applications.allow(person=person, application=application, now=timezone.now())
    return str(headers["Location"])


def _require_challenge(info: dict[str, Any]) -> None:
    """Require PKCE by S256 and nothing else (RFC 7636, 4.2; RFC 9700, 2.1.1)."""
    if info["code_challenge_method"] != "S256":
        raise errors.UnsupportedCodeChallengeMethodError(request=info["request"])
    if not CHALLENGE.fullmatch(info["code_challenge"]):
        raise errors.InvalidRequestError(
            description="Invalid code_challenge.", request=info["request"]
        )


def _sent_back(uri: str) -> HttpResponse:
    """Redirect to the application, with the issuer of the answer (RFC 9207)."""
    answer = HttpResponse(status=302)
    answer["Location"] = add_params_to_uri(uri, [("iss", settings.PUBLIC_URL)])
    return answer


# --- for programs -------------------------------------------------------------------------------


def _endpoint(*, in_browsers: bool) -> Callable[[_Endpoint], _Endpoint]:
    """Make an endpoint that takes a form by POST and always answers JSON (RFC 6749, 5.2)."""

    def decorate(view: _Endpoint) -> _Endpoint:
        limited_view = limited("ip", "120/m", ["POST"])(view)

        @csrf_exempt
        @wraps(view)
        def endpoint(request: HttpRequest) -> HttpResponse:
            if in_browsers and request.method == "OPTIONS":
                response = cors.allow(
                    request, methods="POST", headers="Authorization, Content-Type"
                )
            else:
                response = _answered(limited_view, request)
            response["Cache-Control"] = "no-store"
            if in_browsers:
                response["Access-Control-Allow-Origin"] = "*"
            return response

        return endpoint

    return decorate


def _answered(view: _Endpoint, request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        response = _refusal("invalid_request", "Use POST.", 405)
        response["Allow"] = "POST"
        return response
    if request.content_type != _FORM or request.META.get("QUERY_STRING"):
        return _refusal("invalid_request", f"Send all parameters in the body, as {_FORM}.")
    try:
        return view(request)
    except Ratelimited:
        response = _refusal("temporarily_unavailable", "Too many requests. Try again later.", 429)
        response["Retry-After"] = "60"
        return response
    except errors.OAuth2Error as error:
        return _refusal(error.error, error.description, error.status_code)
    except (BadRequest, SuspiciousOperation, UnreadablePostError):
        return _refusal("invalid_request", "The body cannot be read.")


def _refusal(error: str, description: str, status: int = 400) -> HttpResponse:
    return _json({"error": error, "error_description": description}, status)


def _json(body: dict[str, Any], status: int = 200) -> HttpResponse:
    response = JsonResponse(body, status=status)
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="Parley"'
    return response


def _credentials(request: HttpRequest) -> dict[str, str]:
    """Return the headers that oauthlib and the toolkit need."""
    return {"HTTP_AUTHORIZATION": request.META.get("HTTP_AUTHORIZATION", "")}


@_endpoint(in_browsers=True)
def token(request: HttpRequest) -> HttpResponse:
    form = _heeded(request.POST, _TOKEN)
    if "grant_type" not in form:
        raise errors.InvalidRequestError(description="Missing grant_type parameter.")
    if form["grant_type"] not in _GRANTS:
        raise errors.UnsupportedGrantTypeError
    _headers, body, status = _server().create_token_response(
        _HERE, "POST", urlencode(form), _credentials(request)
    )
    return _json(json.loads(body), status)


@_endpoint(in_browsers=True)
def revoke(request: HttpRequest) -> HttpResponse:
    """Revoke a token (RFC 7009). The answer does not tell whether such a token existed."""
    form = _heeded(request.POST, _ONE_TOKEN)
    _headers, body, status = _server().create_revocation_response(
        _HERE, "POST", urlencode(form), _credentials(request)
    )
    return _json(json.loads(body or "{}"), status)


@_endpoint(in_browsers=False)
def introspect(request: HttpRequest) -> HttpResponse:
    """Describe a token to its own application, which must have a secret (RFC 7662)."""
    form = _heeded(request.POST, _ONE_TOKEN)
    asked = Request(_HERE, "POST", urlencode(form), _credentials(request))
    if not Validator().authenticate_client(asked):
        raise errors.InvalidClientError
    if "token" not in form:
        raise errors.InvalidRequestError(description="Missing token parameter.")
    return _json(
        applications.introspect(text=form["token"], application=asked.client, now=timezone.now())
    )


@require_safe
def metadata(request: HttpRequest) -> HttpResponse:
    """Describe the authorization server (RFC 8414)."""
    with_secret = ["client_secret_basic", "client_secret_post"]
    return _public(
        {
            "issuer": settings.PUBLIC_URL,
            "authorization_endpoint": _url("oauth2_provider:authorize"),
            "token_endpoint": _url("oauth2_provider:token"),
            "revocation_endpoint": _url("oauth2_provider:revoke-token"),
            "introspection_endpoint": _url("oauth2_provider:introspect"),
            "scopes_supported": list(scopes.SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": list(_GRANTS),
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": [*with_secret, "none"],
            "revocation_endpoint_auth_methods_supported": [*with_secret, "none"],
            "introspection_endpoint_auth_methods_supported": with_secret,
            "authorization_response_iss_parameter_supported": True,
            "service_documentation": _url("api-docs"),
        }
    )


@require_safe
def resource_metadata(request: HttpRequest) -> HttpResponse:
    """Describe the API as a protected resource (RFC 9728)."""
    return _public(
        {
            "resource": settings.PUBLIC_URL,
            "authorization_servers": [settings.PUBLIC_URL],
            "scopes_supported": list(scopes.SCOPES),
            "bearer_methods_supported": ["header"],
            "resource_name": "Parley API",
            "resource_documentation": _url("api-docs"),
        }
    )


def _url(name: str) -> str:
    return settings.PUBLIC_URL + reverse(name)


def _public(body: dict[str, Any]) -> HttpResponse:
    response = JsonResponse(body)
    response["Cache-Control"] = "no-store"
    response["Access-Control-Allow-Origin"] = "*"
    return response
