"""What a host asks of those who book: the questions of an event type, and the answers to them."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypedDict

import orjson
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from config.errors import Invalid

MOST_ANSWERS = 50
LONGEST_NAME = 60
_LONGEST_LINE = 500
LONGEST_TEXT = 5000
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{2,38}")


class FieldType(StrEnum):
    TEXT = "text"
    TEXTAREA = "textarea"
    SELECT = "select"
    NUMBER = "number"
    BOOLEAN = "boolean"
    EMAIL = "email"
    PHONE = "phone"


class CustomField(TypedDict):
    """A question. `name` is its key among the answers, `options` are those of a select."""

    name: str
    label: str
    type: str
    required: bool
    options: list[str]


def check_questions(questions: Sequence[CustomField]) -> None:
    """Invalid for a name that occurs twice, a select without options, options without a select."""
    seen = set()
    for number, question in enumerate(questions):
        field = f"custom_fields.{number}"
        if question["name"] in seen:
            raise Invalid("Another field has this name.", field=f"{field}.name")
        seen.add(question["name"])
        if (question["type"] == FieldType.SELECT) != bool(question["options"]):
            message = "A select needs options, and nothing else has them."
            raise Invalid(message, field=f"{field}.options")


def checked_answers(
    questions: Sequence[CustomField], answers: Mapping[str, object], *, beside: int = 0
) -> dict[str, Any]:
    """The answers as they are kept, in the order of the questions; others are kept as text.

    Invalid, on `custom_field_values.<name>`, for an answer of the wrong type or none where the
    question requires one; and for too many, with those that they are kept `beside`. An empty answer
    is none.
    """
    if len(answers) + beside > MOST_ANSWERS:
        raise Invalid(f"Give at most {MOST_ANSWERS} values.", field="custom_field_values")
    if any(len(name) > LONGEST_NAME or "\0" in name for name in answers):
        message = f"A name has at most {LONGEST_NAME} characters and no NUL."
        raise Invalid(message, field="custom_field_values")
    given = {name: value for name, value in answers.items() if value not in (None, "")}
    kept: dict[str, Any] = {}
    for question in questions:
        name = question["name"]
        field = f"custom_field_values.{name}"
        if name in given:
            kept[name] = _checked(question, given.pop(name), field)
        elif question["required"]:
            raise Invalid(f"{question['label']} is required.", field=field)
    for name, value in given.items():
        field = f"custom_field_values.{name}"
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        kept[name] = _text(text, field, LONGEST_TEXT)
    return kept


def _checked(question: CustomField, value: object, field: str) -> str | float | bool:
    match FieldType(question["type"]):
        case FieldType.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise Invalid("Must be a number.", field=field)
            if abs(value) >= 2**53:
                raise Invalid("Is too large.", field=field)
            return value
        case FieldType.BOOLEAN:
            if not isinstance(value, bool):
                raise Invalid("Must be true or false.", field=field)
            if question["required"] and not value:
                raise Invalid(f"{question['label']} is required.", field=field)
            return value
        case FieldType.TEXTAREA:
            return _text(value, field, LONGEST_TEXT)
    text = _text(value, field, _LONGEST_LINE)
    match FieldType(question["type"]):
        case FieldType.SELECT if text not in question["options"]:
            raise Invalid(f"Choose one of {', '.join(question['options'])}.", field=field)
        case FieldType.PHONE if not _PHONE.fullmatch(text):
            raise Invalid("Must be a phone number.", field=field)
        case FieldType.EMAIL:
            try:
                validate_email(text)
            except ValidationError:
                raise Invalid("Must be an email address.", field=field) from None
    return text


def _text(value: object, field: str, longest: int) -> str:
    if not isinstance(value, str):
        raise Invalid("Must be a text.", field=field)
    if len(value) > longest:
        raise Invalid(f"Is over {longest} characters long.", field=field)
    if "\0" in value:
        raise Invalid("May not hold a NUL character.", field=field)
    return value
