"""Public URLs as people write, keep and fill them in: slashes, letter case, old names, prefill."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from django.test import Client

from accounts.domain import services as people
from accounts.models import FormerUsername, User
from accounts.models.usernames import MOST_FORMER, RESERVED
from core.errors import Invalid
from core.people import privacy
from scheduling.domain import services
from scheduling.messages import links
from scheduling.models import Booking, EventType, FormerSlug
from tests import factories
from tests.pages import NOW, START, Answer, main
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE = "/alice/30-minute-meeting"
SECOND = int(START.timestamp())


def leads(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("Location", "")


# --- slashes and letters --------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?zone=Asia%2FTokyo&name=J%26o"])
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/alice/", "/alice"),
        ("/Alice", "/alice"),
        (f"{PAGE}/", PAGE),
        (f"{PAGE}//", PAGE),
        ("/alice/30-Minute-Meeting", PAGE),
        ("/ALICE/30-minute-meeting", PAGE),
        ("/bookings/", "/bookings"),
        ("/settings/profile/", "/settings/profile"),
    ],
)
def test_a_page_is_found_however_its_address_is_typed(
    client: Client, event_type: EventType, typed: str, meant: str, query: str
) -> None:
    assert leads(client.get(typed + query)) == (301, meant + query)


@pytest.mark.parametrize("page", ["manage", "booked", "calendar"])
def test_an_invitees_link_works_with_a_slash(client: Client, book: Book, page: str) -> None:
    address = f"/bookings/{page}/{links.manage_token(book())}"
    answer = client.get(f"{address}/")
    assert leads(answer) == (301, address)
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert client.get(address).status_code == 200


def test_so_does_a_hosts(client: Client, approved: EventType, book: Book) -> None:
    path = links.answer_url(book(approved)).removeprefix("http://localhost")
    assert leads(client.get(f"{path}/")) == (301, path)


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/",
        "///evil.example//",
        "/%2Fevil.example/",
        "/%5Cevil.example/",
        "/\\evil.example/",
        "/%09/evil.example/",
        "/evil.example%2F..%2F/",
    ],
)
def test_no_slash_leads_to_another_host(client: Client, path: str) -> None:
    answer = client.generic("GET", "/x", PATH_INFO=unquote(path))
    assert answer.status_code in (301, 404)
    location = answer.headers.get("Location", "/")
    assert re.fullmatch(r"/(?![/\\]).*", location)


@pytest.mark.parametrize(
    "path", ["/accounts/nothing/", "/api/v1/nothing/", "/a/b/c/", "/", "/%00/"]
)
def test_what_is_no_page_is_none_with_a_slash_either(client: Client, path: str) -> None:
    assert client.get(path).status_code == (200 if path == "/" else 404)


def test_nothing_is_sent_on_that_was_posted_there(client: Client, event_type: EventType) -> None:
    assert client.post(f"{PAGE}/", {"start": SECOND}).status_code == 405


# --- names that were given up ---------------------------------------------------------------------


def rename(user: User, name: str) -> User:
    return people.update_profile(user=User.objects.get(pk=user.pk), username=name)


def test_a_renamed_host_is_found_under_the_old_name(
    client: Client, event_type: EventType, alice: User
) -> None:
    rename(alice, "ada")
    assert leads(client.get("/alice?name=Jo")) == (302, "/ada?name=Jo")
    assert leads(client.get(f"{PAGE}?zone=UTC")) == (302, "/ada/30-minute-meeting?zone=UTC")
    assert leads(client.get("/Alice/")) == (301, "/Alice")
    rename(alice, "countess")
    assert leads(client.get("/alice")) == (302, "/countess")
    assert leads(client.get("/ada")) == (302, "/countess")


def test_a_page_left_open_is_sent_on_with_all_that_was_typed(
    client: Client, event_type: EventType, alice: User
) -> None:
    rename(alice, "ada")
    form = {"start": SECOND, "name": "Jo", "email": "jo@example.com"}
    answer = client.post(PAGE, form)
    assert leads(answer) == (307, "/ada/30-minute-meeting")
    assert client.post(answer["Location"], form).status_code == 302
    assert Booking.objects.get().invitee_name == "Jo"


def test_a_renamed_event_type_is_found_under_the_old_address(
    client: Client, event_type: EventType
) -> None:
    services.update_event_type(event_type=event_type, slug="intro")
    assert leads(client.get(f"{PAGE}?q_size=S")) == (302, "/alice/intro?q_size=S")
    services.update_event_type(event_type=event_type, is_active=False)
    assert client.get(PAGE).status_code == 404


def test_an_old_name_is_nobody_elses_and_can_be_taken_back(alice: User, bob: User) -> None:
    rename(alice, "ada")
    with pytest.raises(Invalid, match="Somebody else has this username"):
        rename(bob, "alice")
    assert User.objects.free_username("alice") == "alice-2"
    assert User.objects.get(pk=bob.pk).username == "bob"
    rename(alice, "alice")
    assert list(FormerUsername.objects.values_list("username", flat=True)) == ["ada"]


def test_the_names_of_a_deleted_account_are_nobody_elses_for_90_days(
    client: Client, alice: User, bob: User
) -> None:
    rename(alice, "ada")
    privacy.erase(person_id=alice.pk, now=NOW)
    for name in ("ada", "alice"):
        assert client.get(f"/{name}").status_code == 404
        with pytest.raises(Invalid, match="Somebody else has this username"):
            rename(bob, name)
        assert User.objects.free_username(name) == f"{name}-2"
    kept = FormerUsername.objects.values_list("username", flat=True)
    assert not {"ada", "alice"} & set(kept)  # nobody can read them
    privacy.retain(now=NOW + RESERVED + timedelta(seconds=1))
    assert rename(bob, "ada").username == "ada"


def test_no_other_event_type_takes_an_address_that_was_given_up(
    client: Client, event_type: EventType, alice: User
) -> None:
    services.update_event_type(event_type=event_type, slug="intro")
    assert factories.event_type(alice).slug == "30-minute-meeting-2"
    with pytest.raises(Invalid, match="still leads to another event type"):
        factories.event_type(alice, name="Told", slug="30-minute-meeting")
    told = factories.event_type(alice, name="Told", slug="told")
    with pytest.raises(Invalid, match="still leads to another event type"):
        services.update_event_type(event_type=told, slug="30-minute-meeting")
    assert leads(client.get(PAGE)) == (302, "/alice/intro")


def test_an_event_type_takes_back_the_address_that_it_gave_up(
    client: Client, event_type: EventType
) -> None:
    services.update_event_type(event_type=event_type, slug="intro")
    services.update_event_type(event_type=event_type, slug="30-minute-meeting")
    assert client.get(PAGE).status_code == 200
    assert [row.slug for row in event_type.former_slugs.all()] == ["intro"]


def test_after_90_days_they_are_free(client: Client, event_type: EventType, alice: User) -> None:
    services.update_event_type(event_type=event_type, slug="intro")
    rename(alice, "ada")
    privacy.retain(now=NOW + RESERVED - timedelta(seconds=1))
    assert client.get("/alice").status_code == 302
    privacy.retain(now=NOW + RESERVED)
    assert client.get("/alice").status_code == 404
    assert client.get("/ada/30-minute-meeting").status_code == 404
    assert User.objects.free_username("alice") == "alice"


def test_nobody_holds_more_than_so_many(event_type: EventType, alice: User) -> None:
    for number in range(MOST_FORMER):
        rename(alice, f"name-{number}")
        services.update_event_type(event_type=event_type, slug=f"slug-{number}")
    with pytest.raises(Invalid, match="can be changed 10 times in 90 days"):
        rename(alice, "one-more")
    with pytest.raises(Invalid, match="can be changed 10 times in 90 days"):
        services.update_event_type(event_type=event_type, slug="one-more")
    assert FormerUsername.objects.count() == FormerSlug.objects.count() == MOST_FORMER
    assert rename(alice, "name-3").username == "name-3"  # one that she had
    assert services.update_event_type(event_type=event_type, slug="slug-3").slug == "slug-3"


def test_a_change_of_something_else_gives_up_no_name(event_type: EventType, alice: User) -> None:
    people.update_profile(user=alice, first_name="Ada")
    services.update_event_type(event_type=event_type, name="Other")
    assert not FormerUsername.objects.exists()
    assert not FormerSlug.objects.exists()


def test_a_host_who_is_gone_is_not_named_by_an_old_name(client: Client, alice: User) -> None:
    rename(alice, "ada")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert leads(client.get("/alice")) == (404, "")


def test_staff_reserve_the_old_name_as_well(alice: User, bob: User) -> None:
    bob.is_staff = True
    bob.save()
    client = Client()
    client.force_login(bob)
    page = client.get(f"/admin/accounts/user/{alice.pk}/change/")
    form = page.context["adminform"].form
    sent = {name: form[name].value() or "" for name in form.fields}
    inline = {
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    changed = client.post(page.request["PATH_INFO"], sent | inline | {"username": "ada"})
    assert changed.status_code == 302, changed.content
    assert FormerUsername.objects.get().username == "alice"
    other = client.get(f"/admin/accounts/user/{bob.pk}/change/")
    form = other.context["adminform"].form
    sent = {name: form[name].value() or "" for name in form.fields}
    refused = client.post(other.request["PATH_INFO"], sent | inline | {"username": "alice"})
    assert "Somebody else has this username." in refused.content.decode()


# --- prefill --------------------------------------------------------------------------------------

QUESTIONS = [
    {"name": "company", "label": "Company?", "type": "text", "required": False, "options": []},
    {"name": "size", "label": "Size?", "type": "select", "required": False, "options": ["S", "M"]},
    {"name": "new", "label": "New?", "type": "boolean", "required": False, "options": []},
    {"name": "name", "label": "Dog?", "type": "text", "required": False, "options": []},
]
GIVEN = {
    "name": "Jo & Co",
    "email": "jo@example.com",
    "notes": 'A "word"\nand more',
    "q_company": "ACME",
    "q_size": "M",
    "q_new": "yes",
    "q_name": "Rex",
}


def filled(page: Answer) -> dict[str, str]:
    """Return the initial values of the page's form."""
    html = main(page)
    found = dict(re.findall(r'<input type="(?:text|email)" name="([^"]*)" value="([^"]*)"', html))
    found |= dict(re.findall(r'<textarea name="([^"]*)"[^>]*>\s*([^<]*)</textarea>', html))
    found |= dict(
        re.findall(r'<select name="([^"]*)".*?<option value="([^"]*)" selected>', html, re.S)
    )
    return found | dict.fromkeys(re.findall(r'name="([^"]*)"[^>]* checked', html), "on")


@pytest.fixture
def asked(alice: User) -> EventType:
    return factories.event_type(alice, custom_fields=QUESTIONS)


def test_an_address_fills_in_the_form(client: Client, asked: EventType) -> None:
    page = client.get(f"{PAGE}?{urlencode(GIVEN | {'start': SECOND})}")
    assert filled(page) == {
        "name": "Jo &amp; Co",
        "email": "jo@example.com",
        "notes": "A &quot;word&quot;\nand more",
        "guests": "",
        "answer-0": "ACME",
        "answer-1": "M",
        "answer-2": "on",
        "answer-3": "Rex",
    }


def test_it_goes_along_to_the_form_through_every_step(client: Client, asked: EventType) -> None:
    page = main(client.get(f"{PAGE}?{urlencode(GIVEN)}"))
    forms = re.findall(r'<form [^>]*method="get".*?</form>', page, re.S)
    assert len(forms) == 3
    for form in forms:
        for name in GIVEN:
            assert f'<input type="hidden" name="{name}" value="' in form
    details = main(client.get(f"{PAGE}?{urlencode(GIVEN | {'start': SECOND})}"))
    assert "&amp;q_company=ACME&amp;" in details  # of the link to change the time
    offers = main(client.get(f"/alice?{urlencode(GIVEN)}"))
    assert f'href="{PAGE}?name=Jo+%26+Co&amp;email=jo%40example.com&amp;notes=' in offers


def test_what_cannot_be_filled_in_is_left_out(client: Client, asked: EventType) -> None:
    given = {
        "name": "x" * 300,
        "email": "\0",
        "q_size": "XL",
        "q_new": "no",
        "q_other": "1",
        "trap": "1",
        "phone": "1",
        "zone": "UTC",
    }
    page = client.get(f"{PAGE}?{urlencode(given | {'start': SECOND})}")
    assert page.status_code == 200
    assert filled(page) == {"name": "x" * 200, "notes": "", "guests": ""}


def test_a_link_names_nobody_else_than_who_is_signed_in(
    client: Client, asked: EventType, bob: User
) -> None:
    client.force_login(bob)
    page = filled(client.get(f"{PAGE}?{urlencode(GIVEN | {'start': SECOND})}"))
    assert (page["name"], page["email"]) == ("Bob Byrd", "bob@example.com")
    assert page["answer-0"] == "ACME"


def test_what_is_filled_in_is_not_kept(client: Client, asked: EventType) -> None:
    client.get(f"{PAGE}?{urlencode(GIVEN | {'zone': 'UTC'})}")
    assert set(client.cookies) <= {"zone", "csrftoken"}


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><b>'])
def test_nothing_in_it_is_markup(client: Client, asked: EventType, evil: str) -> None:
    given = dict.fromkeys(GIVEN, evil)
    for query in (given, given | {"start": SECOND}):
        page = main(client.get(f"{PAGE}?{urlencode(query)}"))
        assert evil not in page
    assert evil not in main(client.get(f"/alice?{urlencode(given)}"))
