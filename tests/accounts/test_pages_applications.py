"""Settings, applications: OAuth applications that a person registers."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import Application
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import AuditEntry, Session, User
from tests import factories
from tests.oauth import CALLBACK, App, api, app_of
from tests.pages import NOW, readable, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/settings/applications"
WANTED = {"name": "Wall", "kind": "confidential", "redirect_uris": CALLBACK}


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def app(alice: User) -> App:
    return app_of(alice, now=NOW)


def audited() -> list[tuple[str, str]]:
    rows = AuditEntry.objects.filter(action__startswith="application_").order_by("id")
    return list(rows.values_list("action", "subject"))


def test_without_any_it_says_what_they_are_for(signed_in: Client) -> None:
    said = words(signed_in.get(PAGE))
    assert "No applications yet Create one to let others connect your program" in said


def test_a_new_one_is_shown_its_secret_once(
    signed_in: Client, alice: User, bob: User, settings: Settings
) -> None:
    page = signed_in.post(f"{PAGE}/new", WANTED)
    row, secret = Application.objects.get(), page.context["secret"]
    assert (page.status_code, row.user, row.name) == (200, alice, "Wall")
    said = words(page)
    assert "It is shown only once." in said
    assert f"{settings.PUBLIC_URL}/.well-known/oauth-authorization-server" in said
    assert (row.client_id in said, secret in said) == (True, True)
    app = App(row, secret)
    assert api(app.tokens(bob)["access_token"]).get("/api/v1/users/me").status_code == 200
    for path in (PAGE, f"{PAGE}/{row.pk}"):
        assert secret not in signed_in.get(path).content.decode()
    assert audited()[0] == ("application_made", "Wall")


def test_its_secret_is_kept_nowhere(signed_in: Client) -> None:
    page = signed_in.post(f"{PAGE}/new", WANTED)
    secret = page.context["secret"]
    assert page.headers["Cache-Control"].count("no-store") == 1
    assert secret not in str(page.headers) + str(signed_in.cookies)
    assert secret not in str([session.get_decoded() for session in Session.objects.all()])
    assert secret not in str(readable())


def test_a_public_one_has_none(signed_in: Client, bob: User) -> None:
    page = signed_in.post(f"{PAGE}/new", WANTED | {"kind": "public"})
    assert "A public application has no secret: PKCE stands in for it." in words(page)
    row = Application.objects.get()
    assert App(row, "").tokens(bob)["token_type"] == "Bearer"
    assert "Create a new secret" not in words(signed_in.get(f"{PAGE}/{row.pk}"))
    answer = signed_in.post(f"{PAGE}/{row.pk}/rotate")
    assert answer.headers["Location"] == f"{PAGE}/{row.pk}"
    assert "A public application has no secret." in words(signed_in.get(PAGE + f"/{row.pk}"))


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"name": ""}, {"name": ["This field is required."]}),
        ({"redirect_uris": " \n "}, {"redirect_uris": ["This field is required."]}),
        (
            {"redirect_uris": f"{CALLBACK}\nhttp://example.com/cb\nhttps://example.com/#x"},
            {
                "redirect_uris": [
                    "http://example.com/cb: Use https. Plain http is only for programs on one’s"
                    " own computer (127.0.0.1).",
                    "https://example.com/#x: A redirect URI has no fragment (#…).",
                ]
            },
        ),
        (
            {"redirect_uris": "\n".join(f"https://example.com/{n}" for n in range(11))},
            {"redirect_uris": ["Give at most 10 addresses."]},
        ),
        (
            {"kind": "both"},
            {"kind": ["Select a valid choice. both is not one of the available choices."]},
        ),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_the_rest_is_kept(
    signed_in: Client, app: App, values: dict[str, str], problems: dict[str, list[str]]
) -> None:
    page = signed_in.post(f"{PAGE}/new", WANTED | values)
    form: Any = page.context["form"]
    assert form.errors == problems
    assert {name: form[name].value() for name in WANTED} == WANTED | values
    if "kind" not in values:
        page = signed_in.post(f"{PAGE}/{app.row.pk}", WANTED | values)
        assert page.context["form"].errors == problems
    assert Application.objects.get().name == app.row.name


def test_the_list_says_how_many_have_connected_each(
    signed_in: Client, alice: User, bob: User, charlie: User, app: App
) -> None:
    assert "nobody has connected it yet" in words(signed_in.get(PAGE))
    app.tokens(bob)
    app.tokens(bob)
    assert "1 person has connected it" in words(signed_in.get(PAGE))
    app.tokens(charlie)
    said = words(signed_in.get(PAGE))
    assert (
        "Calendar on the wall confidential, with a secret 2 people have connected it"
        f" created Mon 03/02/2026 {app.client_id}"
    ) in said


def test_it_is_changed(signed_in: Client, app: App, bob: User) -> None:
    kept = app.row.client_secret
    answer = signed_in.post(
        f"{PAGE}/{app.row.pk}",
        {"name": "Other", "kind": "public", "redirect_uris": "https://a.example/ http://[::1]/"},
    )
    assert answer.headers["Location"] == f"{PAGE}/{app.row.pk}"
    assert "The application has been changed." in words(signed_in.get(f"{PAGE}/{app.row.pk}"))
    app.row.refresh_from_db()
    assert (app.row.name, app.row.redirect_uris) == ("Other", "https://a.example/ http://[::1]/")
    assert (app.row.client_type, app.row.client_secret) == ("confidential", kept)
    assert app.asks(bob).status_code == 400  # at the old address
    assert audited()[-1] == ("application_changed", "Other")


def test_a_new_secret_takes_the_old_ones_place(signed_in: Client, app: App, bob: User) -> None:
    tokens = app.tokens(bob)
    page = signed_in.post(f"{PAGE}/{app.row.pk}/rotate")
    assert "The one before it is refused from now on." in words(page)
    assert "no-store" in page.headers["Cache-Control"]
    assert app.refresh(tokens["refresh_token"]).status_code == 401
    renewed = app.refresh(tokens["refresh_token"], client_secret=page.context["secret"])
    assert renewed.status_code == 200
    assert audited()[-1] == ("application_changed", app.row.name)


def test_deleted_it_acts_for_nobody(signed_in: Client, app: App, bob: User) -> None:
    tokens, code = app.tokens(bob), app.code(bob)
    assert "1 person has connected it." in words(signed_in.get(f"{PAGE}/{app.row.pk}"))
    answer = signed_in.post(f"{PAGE}/{app.row.pk}/delete")
    assert answer.headers["Location"] == PAGE
    assert "Calendar on the wall has been deleted." in words(signed_in.get(PAGE))
    assert api(tokens["access_token"]).get("/api/v1/users/me").status_code == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 401
    assert app.exchange(code).status_code == 401
    assert app.asks().status_code == 400
    assert audited()[-1] == ("application_deleted", "Calendar on the wall")


def test_thirty_an_hour_are_enough(signed_in: Client, app: App, settings: Settings) -> None:
    settings.LIMITS = settings.LIMITS | {"applications": 0}
    for path, count in ((f"{PAGE}/new", 30), (f"{PAGE}/{app.row.pk}/rotate", 30)):
        for _number in range(count):
            assert signed_in.post(path, WANTED).status_code == 200
        assert signed_in.post(path, WANTED).status_code == 429
    assert signed_in.get(f"{PAGE}/new").status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_the_rows(
    signed_in: Client,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
) -> None:
    for number in range(count):
        app = app_of(alice, now=timezone.now(), name=f"App {number}")
        app.tokens(factories.user(f"user{number}"))
    with django_assert_num_queries(4):  # session, person, applications and how many there are
        assert len(signed_in.get(PAGE).context["page"]) == count
