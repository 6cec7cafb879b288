"""List pages of the API: query parameters and the envelope of the answer."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from notifications.models import PushDevice
from tests import factories

URL = "/api/v1/users/me/devices"


@pytest.fixture
def api(alice: User) -> Client:
    for number in range(45):
        PushDevice.objects.create(user=alice, token=f"token-{number}", platform="web")
    return factories.client(alice)


def numbers(body: Any) -> list[int]:
    first = PushDevice.objects.order_by("id").values_list("id", flat=True)[0]
    return [row["id"] - first for row in body["data"]]


def test_the_first_page_has_twenty(api: Client) -> None:
    body = api.get(URL).json()
    assert list(body) == ["data", "pagination"]
    assert body["pagination"] == {"page": 1, "limit": 20, "total": 45, "pages": 3}
    assert numbers(body) == list(range(20))


def test_the_pages_together_are_the_whole(api: Client) -> None:
    pages = [api.get(f"{URL}?page={page}&limit=10").json() for page in range(1, 6)]
    assert [number for page in pages for number in numbers(page)] == list(range(45))
    assert pages[4]["pagination"] == {"page": 5, "limit": 10, "total": 45, "pages": 5}


def test_the_whole_on_one_page(api: Client) -> None:
    body = api.get(f"{URL}?limit=100").json()
    assert len(body["data"]) == 45
    assert body["pagination"] == {"page": 1, "limit": 100, "total": 45, "pages": 1}


@pytest.mark.parametrize("page", [4, 2**31, 2**63, 10**30])
def test_a_page_past_the_end_is_empty(api: Client, page: int) -> None:
    answer = api.get(f"{URL}?page={page}")
    assert (answer.status_code, answer.json()) == (
        200,
        {"data": [], "pagination": {"page": page, "limit": 20, "total": 45, "pages": 3}},
    )


def test_an_empty_list(charlie: User) -> None:
    answer = factories.client(charlie).get(URL)
    assert (answer.status_code, answer.json()) == (
        200,
        {"data": [], "pagination": {"page": 1, "limit": 20, "total": 0, "pages": 0}},
    )


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("page=0", "page", "Ensure this value is greater than or equal to 1."),
        ("page=-1", "page", "Ensure this value is greater than or equal to 1."),
        ("limit=0", "limit", "Ensure this value is greater than or equal to 1."),
        ("limit=101", "limit", "Ensure this value is less than or equal to 100."),
        ("page=", "page", "A valid integer is required."),
        ("page=one", "page", "A valid integer is required."),
        ("page=1.5", "page", "A valid integer is required."),
        ("page=1.", "page", "A valid integer is required."),
        ("page=1_0", "page", "A valid integer is required."),
        ("page=%201", "page", "A valid integer is required."),
        ("page=%EF%BC%91", "page", "A valid integer is required."),
        ("limit=%00", "limit", "A valid integer is required."),
        ("page=1&page=1", "page", "Give this parameter once."),
    ],
)
def test_a_value_that_makes_no_sense_is_422(
    api: Client, query: str, field: str, message: str
) -> None:
    answer = api.get(f"{URL}?{query}")
    body = answer.json()
    assert (answer.status_code, body["error"]) == (422, "validation_error")
    assert body["details"] == [{"field": field, "message": message}]


def test_both_are_told_at_once(api: Client) -> None:
    details = api.get(f"{URL}?page=0&limit=1000").json()["details"]
    assert [detail["field"] for detail in details] == ["page", "limit"]


def test_a_number_of_thousands_of_digits_is_422(api: Client) -> None:
    answer = api.get(f"{URL}?page={'9' * 5_000}")
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_error")


def test_what_else_a_query_says_is_ignored(api: Client) -> None:
    assert api.get(f"{URL}?colour=red").json() == api.get(URL).json()
