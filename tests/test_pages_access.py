"""Page permissions: every page, by every method, for each kind of visitor.

The pages are read from the URL table. A page that is missing from ROWS fails the suite.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import transaction
from django.urls import get_resolver

from tests.page_table import (
    BEHIND_LINKS,
    DONE,
    DONE_OWN,
    LOGIN,
    OWN,
    ROUTES,
    ROWS,
    Row,
    World,
    patterns,
)
from tests.pages import content, everything

pytestmark = [pytest.mark.django_db, pytest.mark.look]

VISITORS = ["nobody", "stranger", "mate", "owner"]
POSTS = [row for row in ROWS if row.method == "POST"]
# What the next page is to say is kept there, and whose secret it is to show: nothing of anybody's.
SESSIONS = "accounts.Session"


def test_every_page_has_its_row() -> None:
    there = [name for name, _route in patterns(get_resolver())]
    assert len(there) == len(set(there)), "two pages of one name"
    told = [(row.method, row.name) for row in ROWS]
    assert len(told) == len(set(told))
    assert not set(there) - {name for _method, name in told}, "pages without a row: who may?"
    assert not {name for _method, name in told} - set(there), "rows of pages that are no more"


def test_every_link_without_an_account_is_told_apart() -> None:
    assert {name for name, route in ROUTES.items() if "<str:token>" in route} == BEHIND_LINKS


# --- who ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.name}")
def test_who_may_do_it(row: Row, world: World) -> None:
    asked = {who: answer(who, row, world) for who in VISITORS}
    assert asked == {
        "nobody": row.nobody,
        "stranger": row.stranger,
        "mate": row.mate,
        "owner": row.owner,
    }


def answer(who: str, row: Row, world: World) -> int | str:
    """Return the page's answer in the table's terms. Check that only a done POST writes."""
    client, path = world.client(who, row.name), world.path_of(row.name)
    with Watched() as watched:
        page: Any = client.generic(row.method, path, *world.form_of(row.name))
    url: str = page.headers.get("Location", "")
    status: int = page.status_code
    text = content(page).decode(errors="replace") + url
    told = who != "owner" and any(word in text for word in world.words)
    if watched.touched:
        assert (row.method, status in (200, 302)) == ("POST", True), [*watched.touched]
        return DONE if who == "owner" or world.has_any_of(watched.touched) else DONE_OWN
    if status < 400 and not url.startswith("/accounts/login/"):
        return OWN if status == 200 and who in ("stranger", "mate") and not told else status
    assert not told, text
    if status >= 400:
        return status
    [onward] = parse_qs(urlsplit(url).query)["next"]
    assert (row.method, onward) == ("GET", path) or row.method == "POST"
    assert world.client("owner", row.name).get(onward).status_code in (200, 302), onward
    return LOGIN


class Watched:
    """Recorder of the rows, by table, that are written while it is open. It rolls them back."""

    def __enter__(self) -> "Watched":
        self._before = everything()
        self._undone = transaction.atomic()
        self._undone.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        after = everything()
        transaction.set_rollback(True)
        self._undone.__exit__(*error)
        self.touched = {
            label: changed
            for label, rows in after.items()
            if (changed := [*differing(rows, self._before[label])]) and label != SESSIONS
        }


def differing(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from (row for row in rows if row not in others)
    yield from (row for row in others if row not in rows)


# --- what is not there, or not one's own, looks alike -------------------------------------------


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row.stranger == 404 and "<" in ROUTES[row.name]],
    ids=lambda row: f"{row.method} {row.name}",
)
def test_what_is_anothers_looks_as_what_is_not_there(row: Row, world: World) -> None:
    client, form = world.client("stranger", row.name), world.form_of(row.name)
    nothing = dict.fromkeys(re.findall(r"<int:(\w+)>", ROUTES[row.name]), 987_654)
    there, nowhere = (
        client.generic(row.method, path, *form)
        for path in (world.path_of(row.name), world.path_of(row.name, **nothing))
    )
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert anonymous(there) == anonymous(nowhere)
    headers = (
        {**page.headers, "Content-Length": "", "X-Request-Id": ""} for page in (there, nowhere)
    )
    assert next(headers) == next(headers)


def anonymous(page: Any) -> str:
    """Return the page without its own URL and without the mask of its CSRF token."""
    text = re.sub(r'(name="csrfmiddlewaretoken" value=)"\w+"', r"\1", page.content.decode())
    return text.replace(page.request["PATH_INFO"], "")


NESTED = {"member_id", "invitation_id", "delivery_id"}


@pytest.mark.parametrize(
    ("name", "part"),
    [(name, part) for name, route in ROUTES.items() for part in NESTED if f":{part}>" in route],
)
def test_what_belongs_to_something_else_is_not_there(name: str, part: str, world: World) -> None:
    """The team is the owner's, but the other object belongs to another team or parent."""
    path = world.path_of(name, **{part: world.parts[f"foreign {part}"]})
    client, form = world.client("owner", name), world.form_of(name)
    with Watched() as watched:
        page = client.generic("POST", path, *form)
    assert (page.status_code, watched.touched) == (404, {})


# --- how ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROUTES)
def test_other_methods_are_refused_and_looking_changes_nothing(name: str, world: World) -> None:
    taken = {row.method for row in ROWS if row.name == name}
    client, path, form = world.client("owner", name), world.path_of(name), world.form_of(name)
    with Watched() as watched:
        answered = {
            method: client.generic(method, path, *form).status_code
            for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "LINK")
        }
    assert watched.touched == {}
    looked = answered.pop("GET")
    assert answered.pop("HEAD") == looked
    assert answered.pop("OPTIONS") in (looked, 405)
    assert set(answered.values()) == {405}
    assert (looked == 405) == ("GET" not in taken)
    if "POST" not in taken:
        assert client.post(path).status_code == 405


@pytest.mark.parametrize("row", POSTS, ids=lambda row: row.name)
def test_a_form_without_its_token_does_nothing(row: Row, world: World) -> None:
    for who in VISITORS:
        client = world.client(who, row.name, enforce_csrf_checks=True)
        client.get(world.path_of("meetings:home"))
        with Watched() as watched:
            page: Any = client.generic("POST", world.path_of(row.name), *world.form_of(row.name))
        assert (page.status_code, watched.touched) == (403, {})
        assert "This page has expired" in page.content.decode()


@pytest.mark.parametrize("row", POSTS, ids=lambda row: row.name)
def test_a_form_of_another_site_does_nothing(row: Row, world: World) -> None:
    """A valid token does not help: browsers report the origin of a form."""
    client = world.client("owner", row.name, enforce_csrf_checks=True)
    home: Any = client.get(world.path_of("meetings:home"))
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', home.content.decode())
    assert found
    headers = {"X-CSRFToken": found[1]}
    path, form = world.path_of(row.name), world.form_of(row.name)
    with Watched() as watched:
        page: Any = client.generic(
            "POST", path, *form, headers=headers | {"Origin": "https://elsewhere.example"}
        )
    assert (page.status_code, watched.touched) == (403, {})
    with Watched() as watched:
        page = client.generic("POST", path, *form, headers=headers)
        content(page)  # a file is open until it is read
    assert (page.status_code in (200, 302), bool(watched.touched)) == (True, row.owner == DONE)
