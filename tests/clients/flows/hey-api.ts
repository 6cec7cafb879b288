import { createEvent, getEvent, getEventTypeAvailability, listEventTypes } from './generated/sdk.gen';
import { client } from './generated/client.gen';

client.setConfig({ baseUrl: process.env.PARLEY_URL, auth: process.env.PARLEY_TOKEN });

const types = await listEventTypes({ query: { active: true }, throwOnError: true });
const type = types.data.data[0];

const days = await getEventTypeAvailability({ path: { key: type.uuid }, throwOnError: true });
const start: string = days.data.data[0].slots[0].start_time;

const booked = await createEvent({
  headers: { 'Idempotency-Key': 'hey-api' },
  body: {
    event_type_id: type.id,
    attendee_email: 'john@example.com',
    attendee_name: 'John Doe',
    start_time: start,
    custom_field_values: { company: 'ACME Corp' },
  },
  throwOnError: true,
});

const read = await getEvent({ path: { key: booked.data.data.uuid }, throwOnError: true });
const event = read.data.data;

const missing = await getEvent({ path: { key: 'evt_00000000000000000000' } });
console.log(JSON.stringify([event.uuid, event.status, event.start_time, missing.error?.error]));
