"""Questions to the invitee: types, names, order and errors in the event type's form."""

import re
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from scheduling.models import EventType
from scheduling.rules import custom_fields
from scheduling.rules.custom_fields import CustomField
from tests import factories
from tests.pages import everything, main
from tests.scheduling.test_pages_event_types import (
    NEW,
    SIZE,
    TOPIC,
    asked,
    errors,
    page_of,
    questions_of,
    typed,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def question(**other: Any) -> CustomField:
    return {**TOPIC, **other}  # type: ignore[typeddict-item]  # as `other` says


def test_a_name_is_made_from_the_label(signed_in: Client) -> None:
    labels = ["What’s your size?", "What’s your size?", "1. Öffnen", "???", "Topic?"]
    unnamed = [question(name="", label=label) for label in labels]
    signed_in.post(NEW, typed() | asked(*unnamed, question(name="topic", label="Taken")))
    names = [each["name"] for each in EventType.objects.get().custom_fields]
    assert names == [
        "whats_your_size",
        "whats_your_size_2",
        "oeffnen",
        "question",
        "topic_2",
        "topic",
    ]


@pytest.mark.parametrize(
    ("label", "taken", "name"),
    [
        ("x" * 200, [], "x" * 60),
        ("x" * 200, ["x" * 60], "x" * 58 + "_2"),
        ("a b", ["a_b", "a_b_2"], "a_b_3"),
        ("_a_", [], "a"),
    ],
)
def test_a_name_that_is_made_is_one(label: str, taken: list[str], name: str) -> None:
    assert custom_fields.name_from(label, taken) == name


def test_choices_stand_one_a_line(signed_in: Client) -> None:
    sent = asked(SIZE) | {"question-0-options": " S \r\n\r\nM, L\r\nS\r\n"}
    signed_in.post(NEW, typed() | sent)
    assert EventType.objects.get().custom_fields == [SIZE]


def test_choices_of_what_is_no_choice_are_left_out(signed_in: Client) -> None:
    signed_in.post(NEW, typed() | asked(TOPIC) | {"question-0-options": "S\nM"})
    assert EventType.objects.get().custom_fields == [TOPIC]


def test_the_order_is_that_in_which_they_are_sent(signed_in: Client) -> None:
    signed_in.post(NEW, typed() | asked(TOPIC, SIZE) | {"question": ["1", "0"]})
    assert EventType.objects.get().custom_fields == [SIZE, TOPIC]


def test_one_that_is_not_sent_is_gone(signed_in: Client, alice: User) -> None:
    found = factories.event_type(alice, custom_fields=[TOPIC, SIZE])
    signed_in.post(page_of(found), typed(slug="s") | asked(TOPIC, SIZE) | {"question": ["1"]})
    assert EventType.objects.get().custom_fields == [SIZE]


@pytest.mark.parametrize(
    ("questions", "expected"),
    [
        ([question(label="")], {"question-0-label": ["This field is required."]}),
        (
            [TOPIC, question(label="Other")],
            {"question-1-name": ["Another field has this name."]},
        ),
        (
            [TOPIC, {**SIZE, "options": []}],
            {"question-1-options": ["A select needs options, and nothing else has them."]},
        ),
        (
            [question(name="No Name")],
            {"question-0-name": ["Use a-z, 0-9 and _, and begin with a letter."]},
        ),
        (
            [question(type="secret")],
            {
                "question-0-type": [
                    "Select a valid choice. secret is not one of the available choices."
                ]
            },
        ),
        (
            [{**SIZE, "options": ["x" * 201]}],
            {"question-0-options": ["Give at most 100 choices of at most 200 characters."]},
        ),
    ],
)
def test_what_is_wrong_with_a_question_stands_beside_its_field(
    signed_in: Client, questions: list[CustomField], expected: dict[str, list[str]]
) -> None:
    before = everything()
    page = signed_in.post(NEW, typed() | asked(*questions))
    assert errors(page) == expected
    assert [label for _key, label, _name in questions_of(page)] == [
        each["label"] for each in questions
    ]
    assert everything() == before


@pytest.mark.parametrize(
    ("act", "keys"),
    [
        ("add-question", ["0", "1", "2", "3"]),
        ("remove-1", ["0", "2"]),
        ("up-2", ["0", "2", "1"]),
        ("down-0", ["1", "0", "2"]),
        ("up-0", ["0", "1", "2"]),
        ("down-2", ["0", "1", "2"]),
        ("remove-9", ["0", "1", "2"]),
        ("nonsense-1", ["0", "1", "2"]),
        ("", ["0", "1", "2"]),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_a_button_changes_the_questions_and_saves_nothing(
    signed_in: Client, event_type: EventType, act: str, keys: list[str], is_new: bool
) -> None:
    before = everything()
    sent = typed(act=act, name="", duration="x", requires_approval="on", available_days=["3"])
    questions = asked(TOPIC, question(label="B", name="b"), question(label="", name="C"))
    page = signed_in.post(NEW if is_new else page_of(event_type), sent | questions)
    labels = {"0": ("Topic?", "topic"), "1": ("B", "b"), "2": ("", "C"), "3": ("", "")}
    assert questions_of(page) == [(key, *labels[key]) for key in keys]
    assert errors(page) == {}
    form = page.context["form"]
    values = {name: form[name].value() for name in ("name", "duration", "available_days")}
    assert values == {"name": "", "duration": "x", "available_days": ["3"]}
    assert form["requires_approval"].value() is True
    assert everything() == before


def test_there_are_no_more_questions_than_can_be_kept(signed_in: Client) -> None:
    many = {"question": [str(number) for number in range(51)]}
    page = signed_in.post(NEW, typed(act="add-question") | many)
    assert len(questions_of(page)) == 50
    assert re.search(r'value="add-question"[^>]* disabled', main(page))


@pytest.mark.parametrize("keys", [["x"], ["-1"], ["٣"], ["0", "0"], ["99999"], ["\0"]])
def test_strange_keys_are_none(signed_in: Client, keys: list[str]) -> None:
    page = signed_in.post(NEW, typed(act="add-question", question=keys))
    assert page.status_code == HTTPStatus.OK
    assert len(questions_of(page)) <= 2
