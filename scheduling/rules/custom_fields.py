"""Questions of an event type, and the answers to them."""

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypedDict

import orjson
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from core.errors import Invalid
from core.text.lines import validate_address
from core.text.slugs import slug_of
from scheduling.rules import phones

MOST_ANSWERS = 50
LONGEST_NAME = 60
_LONGEST_LINE = 500
LONGEST_TEXT = 5000


class FieldType(StrEnum):
    TEXT = "text"
    TEXTAREA = "textarea"
    SELECT = "select"
    NUMBER = "number"
    BOOLEAN = "boolean"
    EMAIL = "email"
    PHONE = "phone"


class CustomField(TypedDict):
    """Question of an event type. `name` is its key among the answers; a select has `options`."""

    name: str
    label: str
    type: str
    required: bool
    options: list[str]


def name_from(label: str, taken: Collection[str]) -> str:
    """Return a name for a question: `first_time` for `First time?`.

    A name that is taken gets a number.
    """
    words = re.sub(r"[^a-z0-9]+", "_", slug_of(label)).strip("_0123456789")
    stem = words[:LONGEST_NAME].strip("_") or "question"
    name, number = stem, 2
    while name in taken:
        name = f"{stem[: LONGEST_NAME - len(str(number)) - 1]}_{number}"
        number += 1
    return name


def check_questions(questions: Sequence[CustomField]) -> None:
    """Raise Invalid for a repeated name, a select without options, or options without a select."""
    seen = set()
    for number, question in enumerate(questions):
        field = f"custom_fields.{number}"
        if question["name"] in seen:
            raise Invalid(_("Another field has this name."), field=f"{field}.name")
        seen.add(question["name"])
        if (question["type"] == FieldType.SELECT) != bool(question["options"]):
            message = _("A select needs options, and nothing else has them.")
            raise Invalid(message, field=f"{field}.options")


def checked_answers(
    questions: Sequence[CustomField],
    answers: Mapping[str, object],
    *,
    near: tuple[str, ...] = (),
    beside: int = 0,
) -> dict[str, Any]:
    """Return the answers in stored form, in the order of the questions. Other answers become text.

    `near` are the time zones in which telephone numbers are read (see `phones.read`). `beside` is
    the number of stored answers that these answers join.

    Raise Invalid on `custom_field_values.<name>` for an answer of the wrong type, or for a missing
    answer that the question requires. An empty answer is a missing one. Raise Invalid for too many
    answers.
    """
    if len(answers) + beside > MOST_ANSWERS:
        message = _("Give at most %(count)d values.") % {"count": MOST_ANSWERS}
        raise Invalid(message, field="custom_field_values")
    if any(len(name) > LONGEST_NAME or "\0" in name for name in answers):
        message = _("A name has at most %(count)d characters and no NUL.") % {"count": LONGEST_NAME}
        raise Invalid(message, field="custom_field_values")
    given = {name: value for name, value in answers.items() if value not in (None, "")}
    kept: dict[str, Any] = {}
    for question in questions:
        name = question["name"]
        field = f"custom_field_values.{name}"
        if name in given:
            kept[name] = _checked(question, given.pop(name), field, near)
        elif question["required"]:
            raise Invalid(_("%(label)s is required.") % question, field=field)
    for name, value in given.items():
        field = f"custom_field_values.{name}"
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        kept[name] = _text(text, field, LONGEST_TEXT)
    return kept


def questions_with_answers(
    questions: Sequence[CustomField], answers: Mapping[str, Any]
) -> list[tuple[str, Any]]:
    """Return the answers under the labels of the questions and in their order.

    Answers to other questions follow under their names, in alphabetical order.
    """
    labels = {question["name"]: question["label"] for question in questions}
    names = [name for name in labels if name in answers] + sorted(answers.keys() - labels.keys())
    return [(labels.get(name, name), answers[name]) for name in names]


def checked_phone(text: str, field: str, near: tuple[str, ...]) -> str:
    """Return the number in stored form. Raise Invalid if the text is no telephone number."""
    try:
        return phones.read(text, near=near)
    except ValueError:
        raise Invalid(_("Must be a phone number."), field=field) from None


def _checked(
    question: CustomField, value: object, field: str, near: tuple[str, ...]
) -> str | float | bool:
    match FieldType(question["type"]):
        case FieldType.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise Invalid(_("Must be a number."), field=field)
            if abs(value) >= 2**53:
                raise Invalid(_("Is too large."), field=field)
            return value
        case FieldType.BOOLEAN:
            if not isinstance(value, bool):
                raise Invalid(_("Must be true or false."), field=field)
            if question["required"] and not value:
                raise Invalid(_("%(label)s is required.") % question, field=field)
            return value
        case FieldType.TEXTAREA:
            return _text(value, field, LONGEST_TEXT)
    text = _text(value, field, _LONGEST_LINE)
    match FieldType(question["type"]):
        case FieldType.SELECT if text not in question["options"]:
            options = {"options": ", ".join(question["options"])}
            raise Invalid(_("Choose one of %(options)s.") % options, field=field)
        case FieldType.PHONE:
            return checked_phone(text, field, near)
        case FieldType.EMAIL:
            try:
                validate_address(text)
            except ValidationError:
                raise Invalid(_("Must be an email address."), field=field) from None
    return text


def _text(value: object, field: str, longest: int) -> str:
    if not isinstance(value, str):
        raise Invalid(_("Must be a text."), field=field)
    if len(value) > longest:
        raise Invalid(_("Is over %(count)d characters long.") % {"count": longest}, field=field)
    if "\0" in value:
        raise Invalid(_("May not hold a NUL character."), field=field)
    return value
