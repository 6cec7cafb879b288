"""The OpenAPI document: valid, complete, and fit for generated clients."""

import re
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(client: Client) -> Any:
    answer = client.get("/api/schema")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    return answer.json()


def operations(document: Any) -> dict[tuple[str, str], Any]:
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def everything(node: Any) -> list[dict[str, Any]]:
    """All objects of the document."""
    if isinstance(node, dict):
        return [node, *(found for inner in node.values() for found in everything(inner))]
    if isinstance(node, list):
        return [found for inner in node for found in everything(inner)]
    return []


def test_it_is_valid(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    validate_schema(document)  # type: ignore[no-untyped-call]


def test_nothing_of_an_older_version_is_in_it(document: Any) -> None:
    assert [node for node in everything(document) if "nullable" in node] == []


def test_operation_ids_are_names_of_functions(document: Any) -> None:
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert {"get_profile", "list_teams", "list_team_members", "create_device"} <= set(ids)


def test_every_operation_names_its_scope(document: Any) -> None:
    for (method, path), operation in operations(document).items():
        [requirement] = operation["security"]
        [scope] = requirement["bearer"]
        kind = "read" if method == "get" else "write"
        assert scope.endswith(f":{kind}"), (method, path)
        assert f"Needs the scope `{scope}`." in operation["description"]


def test_the_scopes_are_explained(document: Any) -> None:
    scheme = document["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert "- `users:read`: See your profile, hours, teams and devices" in scheme["description"]


def test_every_operation_documents_its_errors_in_its_own_format(document: Any) -> None:
    for (method, path), operation in operations(document).items():
        v3 = path.startswith("/api/v3/")
        needed = {"401", "403", "429", "500"}
        needed |= {"404"} if "{" in path else set()
        needed |= {"409"} if method == "post" else set()
        needed |= {"400", "415"} if "requestBody" in operation else set()
        needed |= {"422"} if "requestBody" in operation and not v3 else set()
        errors = {code: r for code, r in operation["responses"].items() if code >= "400"}
        assert needed <= set(errors), (method, path)
        assert not v3 or "422" not in errors
        shape = f"#/components/schemas/{'MeetingError' if v3 else 'Error'}"
        for response in errors.values():
            assert response["content"] == {"application/json": {"schema": {"$ref": shape}}}
            assert response["description"]


def test_every_answer_documents_the_rate_limit(document: Any) -> None:
    names = {f"X-RateLimit-{name}" for name in ("Limit", "Remaining", "Reset", "Used")}
    for operation in operations(document).values():
        for code, response in operation["responses"].items():
            assert set(response["headers"]) == names | ({"Retry-After"} if code == "429" else set())


def test_the_fields_of_an_error(document: Any) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Error"]["required"] == ["error", "message", "status_code", "timestamp"]
    assert schemas["MeetingError"]["properties"]["error"]["type"] == "integer"


def test_a_list_has_a_page_and_a_limit(document: Any) -> None:
    parameters = document["paths"]["/api/v1/teams"]["get"]["parameters"]
    assert {parameter["name"]: parameter["schema"] for parameter in parameters} == {
        "page": {"type": "integer", "minimum": 1, "default": 1},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    }
