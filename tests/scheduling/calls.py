"""Helpers that call the v1 API and read its answers."""

import json
from typing import Any

from django.test import Client

Answer = tuple[int, Any]


def call(client: Client, method: str, path: str, body: Any = None) -> Answer:
    """Send `<method> /api/v1<path>` and return the answer's status and body."""
    content = "" if body is None else json.dumps(body)
    response = client.generic(method, f"/api/v1{path}", content, "application/json")
    return response.status_code, response.json()


def data(answer: Answer, status: int = 200) -> Any:
    """Return the data of an answer with this status."""
    assert answer[0] == status, answer
    return answer[1]["data"]


def wrong(answer: Answer) -> list[tuple[str, str]]:
    """Return fields and messages of a validation error."""
    status, body = answer
    assert (status, body.get("error"), body["message"], body.get("status_code")) == (
        422,
        "validation_error",
        "The request is invalid",
        422,
    ), answer
    return [(detail["field"], detail["message"]) for detail in body["details"]]


def conflict(answer: Answer) -> tuple[str, str | None]:
    """Return the message and the reason of a conflict."""
    status, body = answer
    assert (status, body["error"], body.get("status_code")) == (409, "conflict", 409), answer
    return body["message"], body.get("reason")


def missing(answer: Answer) -> str:
    """Return the message of a not-found error."""
    status, body = answer
    assert (status, body["error"], body.get("status_code")) == (404, "not_found", 404), answer
    return str(body["message"])
