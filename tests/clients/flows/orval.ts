import { createEvent, getEvent, getEventTypeAvailability, listEventTypes } from './generated/client';
import * as zod from './generated/zod';

const headers = { Authorization: `Bearer ${process.env.PARLEY_TOKEN}` };

const types = await listEventTypes({ active: true }, { headers });
const [type] = zod.listEventTypesResponse.parse(types.data).data;

const days = await getEventTypeAvailability(type.uuid, undefined, { headers });
const [day] = zod.getEventTypeAvailabilityResponse.parse(days.data).data;

const body = zod.createEventBody.parse({
  event_type_id: type.id,
  attendee_email: 'john@example.com',
  attendee_name: 'John Doe',
  start_time: day.slots[0].start_time,
  custom_field_values: { company: 'ACME Corp' },
});
const booked = await createEvent(body, { headers: { ...headers, 'Idempotency-Key': 'orval' } });
if (booked.status !== 201) {
  throw new Error(JSON.stringify(booked.data));
}

const read = await getEvent(booked.data.data.uuid, { headers });
const event = zod.getEventResponse.parse(read.data).data;

const missing = await getEvent('evt_00000000000000000000', { headers });
const error = missing.status === 404 ? missing.data.error : undefined;
console.log(JSON.stringify([event.uuid, event.status, event.start_time, error]));
