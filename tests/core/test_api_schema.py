"""The OpenAPI document: valid, complete, and fit for generated clients."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from core.api.errors import KINDS
from scheduling.api.serializers import NewEventSerializer
from webhooks.domain.events import EVENTS

pytestmark = pytest.mark.django_db

# Callers of this endpoint have found somebody's token and have none of their own.
OPEN = [("post", "/api/v1/tokens/revoke")]
# Its address opens it to anybody.
FEED = ("get", "/api/v1/users/me/feed")


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
    """All objects of the OpenAPI document."""
    if isinstance(node, dict):
        return [node, *(found for inner in node.values() for found in everything(inner))]
    if isinstance(node, list):
        return [found for inner in node for found in everything(inner)]
    return []


def test_it_is_valid(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    validate_schema(document)  # type: ignore[no-untyped-call]


def test_it_names_its_server_and_a_contact(document: Any) -> None:
    assert document["servers"] == [{"url": settings.PUBLIC_URL}]
    assert document["info"]["contact"] == {"name": "Parley API", "url": settings.PUBLIC_URL}


def test_every_operation_has_a_summary_of_its_own(document: Any) -> None:
    told = {
        operation["operationId"]: operation["summary"]
        for operation in operations(document).values()
    }
    assert len(set(told.values())) == len(told)
    assert told["create_event"] == "Create event"
    assert told["get_event_type_availability"] == "Get event type availability"


def test_no_property_has_a_default(document: Any) -> None:
    """Generators treat a property with a default as one that must be sent."""
    for name, component in document["components"]["schemas"].items():
        for schema in everything(component):
            assert "default" not in schema, name


def test_no_shape_is_written_twice_for_what_can_only_be_read(document: Any) -> None:
    assert [node for node in everything(document) if "readOnly" in node] == []


def test_a_value_of_several_spellings_is_one_text(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for shape, name, described in [
        ("NewEventRequest", "start_time", ("string", "date-time")),
        ("RescheduleRequest", "start_time", ("string", "date-time")),
        ("RecoverRequest", "since", ("string", "date-time")),
        ("NewEventTypeRequest", "price", (["string", "null"], "decimal")),
        ("NewMeetingRequest", "link", (["string", "null"], None)),
    ]:
        schema = schemas[shape]["properties"][name]
        assert (schema["type"], schema.get("format")) == described, (shape, name)
    [after] = [
        parameter["schema"]
        for parameter in document["paths"]["/api/v1/events"]["get"]["parameters"]
        if parameter["name"] == "start_after"
    ]
    assert (after["type"], after["format"]) == ("string", "date-time")


def test_a_choice_is_only_between_null_and_something_else(document: Any) -> None:
    for node in everything(document):
        assert "anyOf" not in node
        assert list(node) != ["allOf"]
        for choice in node.get("oneOf", [None, {"type": "null"}])[1:]:
            assert choice == {"type": "null"}, node


def test_what_bounds_a_text_stands_beside_its_type_and_not_beside_its_list(document: Any) -> None:
    for node in everything(document):
        if {"pattern", "minLength", "maxLength"} & set(node):
            assert "string" in node["type"], node
            assert "enum" not in node, node


def test_patterns_are_spelled_as_every_dialect_reads_them(document: Any) -> None:
    """PHP's regular expressions have no `\\u`: a generated client would refuse every text."""
    patterns = {node["pattern"] for node in everything(document) if "pattern" in node}
    assert len(patterns) > 5
    assert [pattern for pattern in patterns if re.search(r"\\[uUpPN]", pattern)] == []


def test_every_event_has_its_payload(document: Any) -> None:
    assert list(document["webhooks"]) == [*EVENTS, "webhook.test"]
    schemas = document["components"]["schemas"]
    for type_, path in document["webhooks"].items():
        operation = path["post"]
        assert [part["name"] for part in operation["parameters"]] == [
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
        ]
        [body] = operation["requestBody"]["content"].values()
        payload = schemas[body["schema"]["$ref"].rpartition("/")[2]]
        assert payload["properties"]["type"]["enum"] == [type_]
        assert payload["required"] == ["id", "type", "timestamp", "owner_sequence", "data"]
    names = ("BookingMovedPayload", "BookingRescheduledPayload", "MeetingExpiredPayload")
    data = [schemas.get(name, {}).get("properties", {}).get("data") for name in names]
    assert data == [
        None,
        {"$ref": "#/components/schemas/EventDetails"},
        {"$ref": "#/components/schemas/Meeting"},
    ]


def test_nothing_of_an_older_version_is_in_it(document: Any) -> None:
    assert [node for node in everything(document) if "nullable" in node] == []


def test_operation_ids_are_names_of_functions(document: Any) -> None:
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert {"get_profile", "list_teams", "list_team_members", "create_device"} <= set(ids)


def test_every_operation_names_its_scope(document: Any) -> None:
    for (method, path), operation in operations(document).items():
        if (method, path) in OPEN:
            assert operation["security"] == []
            continue
        by_hand, by_oauth = operation["security"]
        [scope] = by_hand["bearer"]
        assert by_oauth == {"oauth2": [scope]}
        kind = "read" if method == "get" and (method, path) != FEED else "write"
        assert scope.endswith(f":{kind}"), (method, path)
        assert f"Needs the scope `{scope}`." in operation["description"]


def test_the_scopes_are_explained(document: Any) -> None:
    scheme = document["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert "- `users:read`: See your profile, teams and devices" in scheme["description"]


def test_how_an_application_comes_by_a_token_is_told(document: Any, client: Client) -> None:
    scheme = document["components"]["securitySchemes"]["oauth2"]
    flow = scheme["flows"].pop("authorizationCode")
    assert (scheme["type"], scheme["flows"]) == ("oauth2", {})
    told = client.get("/.well-known/oauth-authorization-server").json()
    assert flow["authorizationUrl"] == told["authorization_endpoint"]
    assert flow["tokenUrl"] == flow["refreshUrl"] == told["token_endpoint"]
    assert list(flow["scopes"]) == told["scopes_supported"]


def test_every_operation_documents_its_errors_in_its_own_format(document: Any) -> None:
    for (method, path), operation in operations(document).items():
        v3 = path.startswith("/api/v3/")
        needed = {"429", "500"}
        needed |= {"401", "403"} if (method, path) not in OPEN else set()
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


def test_every_tag_is_explained(document: Any) -> None:
    told = {tag["name"]: tag["description"] for tag in document["tags"]}
    called = {tag for operation in operations(document).values() for tag in operation["tags"]}
    sent = {tag for path in document["webhooks"].values() for tag in path["post"]["tags"]}
    assert not called & sent  # generators make a module of each tag, and would write one twice
    assert set(told) == called | sent
    assert all(told.values())


def test_the_description_tells_of_what_all_operations_share(document: Any) -> None:
    told = document["info"]["description"]
    assert re.findall("^## (.*)$", told, re.M) == [
        "Who calls",
        "Requests and answers",
        "Errors",
        "Rate limits",
        "Trying again",
    ]
    for status, (word, _sentence) in KINDS.items():
        assert re.search(rf"^\| {status} \| .*`{word}`", told, re.M), status


def test_every_operation_has_one_success_with_an_example(document: Any) -> None:
    for (method, path), operation in operations(document).items():
        [success] = [code for code in operation["responses"] if code < "400"]
        created = method == "post" and "{" not in path and (method, path) not in OPEN
        later = path.endswith(("/recover", "/redeliver", "/refresh"))  # workers do it
        wanted = "201" if created else "202" if later else "200"
        assert success == wanted, (method, path)
        assert shown(operation["responses"][success]), (method, path)


def test_every_body_of_a_request_has_an_example(document: Any) -> None:
    bodies = [
        (method, path, operation["requestBody"])
        for (method, path), operation in operations(document).items()
        if "requestBody" in operation
    ]
    assert len(bodies) == 34
    assert [(method, path) for method, path, body in bodies if not shown(body)] == []


def test_every_example_fits_its_schema(document: Any) -> None:
    for (method, path), operation in operations(document).items():
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            for told in body.get("content", {}).values():
                schema = {**told["schema"], "components": document["components"]}
                checker = Draft202012Validator(
                    schema, format_checker=Draft202012Validator.FORMAT_CHECKER
                )
                for example in shown(body):
                    wrong = [error.message for error in checker.iter_errors(example)]
                    assert wrong == [], (method, path)


def test_what_is_made_links_to_what_can_be_done_with_it(document: Any) -> None:
    parameters = {
        operation["operationId"]: {part["name"] for part in operation.get("parameters", [])}
        for operation in operations(document).values()
    }
    for (method, path), operation in operations(document).items():
        if "201" in operation["responses"]:
            links = operation["responses"]["201"]["links"]
            assert links, (method, path)
            for name, link in links.items():
                assert link["operationId"] == name
                assert set(link["parameters"]) <= parameters[name]


def shown(body: Any) -> list[Any]:
    """Return the examples of the body of a request or an answer."""
    [told] = body["content"].values()
    return [example["value"] for example in told.get("examples", {}).values()]


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("Ada", True),
        (" Ada\n", True),
        ("", False),
        (" \t\u3000", False),
        ("\x01\x1f", False),
        ("\ufeff", False),
        ("a\0b", False),
    ],
)
def test_a_text_that_may_not_be_blank(document: Any, text: str, allowed: bool) -> None:
    """The pattern in the OpenAPI document and the field accept the same."""
    name = document["components"]["schemas"]["NewEventRequest"]["properties"]["attendee_name"]
    assert bool(re.search(name["pattern"], text)) == allowed
    field = NewEventSerializer(data={"attendee_name": text})
    field.is_valid()
    assert ("attendee_name" not in field.errors) == allowed


def test_a_list_has_a_page_and_a_limit(document: Any) -> None:
    parameters = document["paths"]["/api/v1/teams"]["get"]["parameters"]
    assert {parameter["name"]: parameter["schema"] for parameter in parameters} == {
        "page": {"type": "integer", "minimum": 1, "default": 1},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    }


def test_the_document_is_made_once_whoever_asks(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making the document takes longer than many answers. Strangers must not cause it at will."""
    first = client.get("/api/schema", headers={"Accept-Language": "de"})

    def make_again(*_arguments: object, **_named: object) -> None:
        pytest.fail("the document is made again")

    monkeypatch.setattr(SchemaGenerator, "get_schema", make_again)
    again = client.get("/api/schema?lang=fr&version=2", headers={"Accept-Language": "en"})
    assert (again.status_code, again.content) == (200, first.content)
