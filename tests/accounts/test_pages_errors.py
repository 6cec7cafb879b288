"""Error pages, and the rules that every page follows."""

import re

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from accounts.models import User
from tests.page_rules import broken_rules
from tests.pages import stand_alone, words


def refuse(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def doubt(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("who are you?")


def miss(request: HttpRequest) -> HttpResponse:
    raise Http404("secret name")


def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret reason")


urlpatterns = [
    path("refuse", refuse),
    path("doubt", doubt),
    path("miss", miss),
    path("crash", crash),
    path("", include("config.urls")),
]


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> None:
    stand_alone(settings)


@pytest.mark.django_db
@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/doubt", 400, "We could not understand this request"),
        ("/refuse", 403, "You are not allowed to do this"),
        ("/miss", 404, "Page not found"),
        ("/nowhere", 404, "Page not found"),
        ("/crash", 500, "Something went wrong on our side"),
    ],
)
def test_each_mishap_has_its_page_in_our_look(
    address: str, status: int, said: str, alice: User
) -> None:
    for person in (None, alice):
        client = Client(raise_request_exception=False)
        if person:
            client.force_login(person)
        page = client.get(address)
        assert page.status_code == status
        assert words(page).startswith(f"{status} {said}")
        assert b'class="wordmark"' in page.content
        assert b"secret" not in page.content
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_what_a_stranger_misses_may_be_there_once_they_sign_in(alice: User) -> None:
    client = Client()
    door = 'href="/accounts/login/?next=/nowhere%3Fa%3D1"'
    assert door in client.get("/nowhere?a=1").content.decode()
    client.force_login(alice)
    assert "/accounts/login/" not in client.get("/nowhere?a=1").content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token_is_explained() -> None:
    page = Client(enforce_csrf_checks=True).post("/accounts/login/", {})
    assert page.status_code == 403
    assert words(page).startswith("403 This page has expired")


def test_the_page_of_a_crash_needs_nothing(settings: Settings) -> None:
    """The page uses no context, no database and no manifest.

    The static files that it names exist.
    """
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    page = render_to_string("500.html")
    named = re.findall(r'"/static/(.*?)"', page)
    assert named == [
        "img/favicon.svg",
        "css/tokens.css",
        "css/base.css",
        "css/components/frame.css",
        "css/components/controls.css",
        "css/components/notices.css",
        "css/components/cards.css",
        "css/components/lists.css",
        "css/components/contrast.css",
    ]
    for name in named:
        assert (settings.BASE_DIR / "static" / name).is_file()


@pytest.mark.django_db
def test_too_many_logins_wait_in_our_look(client: Client) -> None:
    """allauth's own limits show Parley's page too."""
    for _ in range(30):
        client.post("/accounts/login/", {"login": "a@example.com", "password": "x"})
    page = client.post("/accounts/login/", {"login": "a@example.com", "password": "x"})
    assert page.status_code == 429
    assert words(page).startswith("429 Too many requests")


SIGNED_OUT = [
    "/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/confirm-email/",
    "/accounts/confirm-email/broken/",
    "/accounts/password/reset/key/x-y/",
    "/accounts/inactive/",
    "/meetings/answer/x",
    "/nowhere",
]
SIGNED_IN = [
    "/",
    "/meetings",
    "/meetings?tab=sent",
    "/meetings/new",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/logout/",
    "/accounts/2fa/",
    "/accounts/reauthenticate/",
    "/nowhere",
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "signed_in"),
    [(one, False) for one in SIGNED_OUT] + [(one, True) for one in SIGNED_IN],
)
def test_every_page_is_ours_and_keeps_the_rules(
    client: Client, alice: User, address: str, signed_in: bool
) -> None:
    if signed_in:
        client.force_login(alice)
    page = client.get(address)
    assert page.status_code in (200, 404)
    assert broken_rules(page.content.decode()) == []
