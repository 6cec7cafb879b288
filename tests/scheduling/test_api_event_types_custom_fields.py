"""POST and PATCH /api/v1/event_types: the host's questions to invitees."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from scheduling.models import EventType
from tests import factories
from tests.scheduling.calls import call, data, wrong

SELECT = {"name": "size", "type": "select", "options": ["S", "M"]}
NO_OPTIONS = "A select needs options, and nothing else has them."
NO_PATTERN = "This value does not match the required pattern."


@pytest.fixture
def api(alice: User) -> Client:
    return factories.client(alice, "event_types:write")


def post(api: Client, *questions: Any) -> Any:
    body = {"name": "An hour", "duration": 60, "custom_fields": list(questions)}
    return call(api, "POST", "/event_types", body)


@pytest.mark.parametrize("kind", ["text", "textarea", "number", "boolean", "email", "phone"])
def test_a_question_of_each_type(api: Client, event_type: EventType, kind: str) -> None:
    expected = [{"name": "q", "label": "q", "type": kind, "required": False, "options": []}]
    asked = {"name": "q", "type": kind}
    made = data(post(api, asked), 201)
    assert made["custom_fields"] == expected
    assert data(call(api, "GET", f"/event_types/{made['id']}"))["custom_fields"] == expected
    # A change needs no more words than what is new.
    changed = call(api, "PATCH", f"/event_types/{event_type.pk}", {"custom_fields": [asked]})
    assert data(changed)["custom_fields"] == expected
    event_type.refresh_from_db()
    assert event_type.custom_fields == expected


def test_all_that_can_be_said_of_questions(api: Client) -> None:
    company = {
        "name": "company_2",
        "label": "Your company",
        "type": "text",
        "required": True,
        "options": [],
    }
    made = data(post(api, company, SELECT), 201)
    assert made["custom_fields"] == [company, {"label": "size", "required": False, **SELECT}]


def test_a_change_takes_the_place_of_all_of_them(api: Client, alice: User) -> None:
    made = data(post(api, {"name": "a", "type": "text"}, {"name": "b", "type": "text"}), 201)
    url = f"/event_types/{made['id']}"
    changed = data(call(api, "PATCH", url, {"custom_fields": [SELECT]}))
    assert [field["name"] for field in changed["custom_fields"]] == ["size"]
    assert data(call(api, "PATCH", url, {"custom_fields": []}))["custom_fields"] == []


@pytest.mark.parametrize(
    ("questions", "details"),
    [
        (["x"], [("0", "Invalid data. Expected a dictionary, but got str.")]),
        ([None], [("0", "This field may not be null.")]),
        ([{}], [("0.name", "Name is required"), ("0.type", "Type is required")]),
        ([{"name": "Company", "type": "text"}], [("0.name", NO_PATTERN)]),
        ([{"name": "1st", "type": "text"}], [("0.name", NO_PATTERN)]),
        ([{"name": "a b", "type": "text"}], [("0.name", NO_PATTERN)]),
        ([{"name": "straße", "type": "text"}], [("0.name", NO_PATTERN)]),
        ([{"name": "x" * 61, "type": "text"}], [("0.name", NO_PATTERN)]),
        ([{"name": 5, "type": "text"}], [("0.name", NO_PATTERN)]),
        ([{"name": "", "type": "text"}], [("0.name", "This field may not be blank.")]),
        ([{"name": "a", "type": "date"}], [("0.type", '"date" is not a valid choice.')]),
        ([{"name": "a", "type": None}], [("0.type", "This field may not be null.")]),
        (
            [{"name": "a", "type": "text", "required": 1}],
            [("0.required", "Must be a valid boolean.")],
        ),
        ([{"name": "a", "type": "text", "label": 5}], [("0.label", "Not a valid string.")]),
        (
            [{"name": "a", "type": "text", "label": ""}],
            [("0.label", "This field may not be blank.")],
        ),
        (
            [{"name": "a", "type": "text", "label": "x" * 201}],
            [("0.label", "Ensure this field has no more than 200 characters.")],
        ),
        (
            [{"name": "a", "type": "text", "label": "a\0"}],
            [("0.label", "Null characters are not allowed.")],
        ),
        ([{"name": "a", "type": "select"}], [("0.options", NO_OPTIONS)]),
        ([{"name": "a", "type": "text", "options": ["x"]}], [("0.options", NO_OPTIONS)]),
        ([SELECT | {"options": [5]}], [("0.options.0", "Not a valid string.")]),
        ([SELECT | {"options": ["S", ""]}], [("0.options.1", "This field may not be blank.")]),
        (
            [SELECT | {"options": "S"}],
            [("0.options", 'Expected a list of items but got type "str".')],
        ),
        (
            [SELECT | {"options": [str(number) for number in range(101)]}],
            [("0.options", "Ensure this field has no more than 100 elements.")],
        ),
        (
            [SELECT, {"name": "b", "type": "text"}, {"name": "size", "type": "text"}],
            [("2.name", "Another field has this name.")],
        ),
    ],
)
def test_a_question_that_does_not_fit_is_422(
    api: Client, event_type: EventType, questions: list[Any], details: list[tuple[str, str]]
) -> None:
    expected = [(f"custom_fields.{path}", message) for path, message in details]
    assert wrong(post(api, *questions)) == expected
    changed = call(api, "PATCH", f"/event_types/{event_type.pk}", {"custom_fields": questions})
    assert wrong(changed) == expected
    assert list(EventType.objects.values_list("custom_fields", flat=True)) == [[]]
