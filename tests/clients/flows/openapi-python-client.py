import json
import os
from datetime import datetime

from generated.api.event_types import get_event_type_availability, list_event_types
from generated.api.events import create_event, get_event
from generated.client import AuthenticatedClient
from generated.models import NewEventRequest, NewEventRequestCustomFieldValues

with AuthenticatedClient(
    base_url=os.environ["PARLEY_URL"], token=os.environ["PARLEY_TOKEN"]
) as client:
    type_ = list_event_types.sync(client=client, active=True).data[0]
    days = get_event_type_availability.sync(type_.uuid, client=client).data
    start: datetime = days[0].slots[0].start_time
    wanted = NewEventRequest(
        event_type_id=type_.id,
        attendee_email="john@example.com",
        attendee_name="John Doe",
        start_time=start,
        custom_field_values=NewEventRequestCustomFieldValues.from_dict({"company": "ACME Corp"}),
    )
    booked = create_event.sync(client=client, body=wanted, idempotency_key="python").data
    event = get_event.sync(booked.uuid, client=client).data
    missing = get_event.sync("evt_00000000000000000000", client=client)

start_time = event.start_time.strftime("%Y-%m-%dT%H:%M:%SZ")
print(json.dumps([event.uuid, str(event.status), start_time, missing.error]))
