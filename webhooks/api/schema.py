"""Webhook requests in the OpenAPI document: one entry of `webhooks` for each type of event."""

from typing import Any

from webhooks.domain.events import EVENTS, TEST

# Components of the OpenAPI document. Events of other floors carry the object as its GET answers.
_DATA = {
    "booking": {"$ref": "#/components/schemas/EventDetails"},
    "meeting": {"$ref": "#/components/schemas/Meeting"},
    "webhook": {
        "type": "object",
        "description": (
            "A sample of what the first event of the webhook carries: a booking or a meeting that"
            " does not exist, with a `message`."
        ),
        "properties": {"message": {"type": "string"}},
        "required": ["message"],
        "additionalProperties": True,
    },
}
_HEADERS = {
    "webhook-id": "The message's id, the same on every attempt.",
    "webhook-timestamp": "When this attempt was signed, in seconds since the epoch.",
    "webhook-signature": (
        "`v1,` and the base64 of an HMAC-SHA256 of `id.timestamp.body` by the webhook's secret."
        " While a secret is being replaced there are two, with a space between them."
    ),
}
_RESPONSES = {
    "2XX": {"description": "Received. Every other answer is a failure, and is retried."},
    "410": {"description": "Wanted no longer: Parley makes the webhook inactive."},
}


def describe_webhooks(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Add the requests that Parley sends to a webhook, and the schema of each one's body."""
    types = (*EVENTS, TEST)
    result["components"]["schemas"] |= {_name(type_): _payload(type_) for type_ in types}
    result["webhooks"] = {type_: {"post": _operation(type_)} for type_ in types}
    return result


def _name(type_: str) -> str:
    """Return `BookingCreatedPayload` for `booking.created`."""
    return "".join(word.capitalize() for word in type_.split(".")) + "Payload"


def _payload(type_: str) -> dict[str, Any]:
    subject, _change = type_.split(".")
    properties = {
        "id": {"type": "string", "description": "The same as the header `webhook-id`."},
        "type": {"type": "string", "enum": [type_]},
        "timestamp": {
            "type": "string",
            "format": "date-time",
            "description": "When it happened, with milliseconds.",
        },
        "owner_sequence": {
            "type": "integer",
            "format": "int64",
            "description": "Rises with each event of your account. Order events by it.",
        },
        "data": _DATA[subject],
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _operation(type_: str) -> dict[str, Any]:
    subject, change = type_.split(".")
    wanted = "when you test a webhook" if type_ == TEST else f"to those subscribed to `{type_}`"
    body = {"$ref": f"#/components/schemas/{_name(type_)}"}
    return {
        "operationId": f"receive_{subject}_{change}",
        "summary": f"Receive {type_}",
        "description": f"Parley sends this {wanted}.",
        "tags": ["deliveries"],  # of their own: generators make a module of each tag
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "schema": {"type": "string"},
                "description": description,
            }
            for name, description in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": _RESPONSES,
    }
