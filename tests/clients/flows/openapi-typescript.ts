import createClient from 'openapi-fetch';
import type { paths } from './generated/schema';

const client = createClient<paths>({
  baseUrl: process.env.PARLEY_URL,
  headers: { Authorization: `Bearer ${process.env.PARLEY_TOKEN}` },
});

const types = await client.GET('/api/v1/event_types', { params: { query: { active: true } } });
const type = types.data!.data[0];

const days = await client.GET('/api/v1/event_types/{key}/availability', {
  params: { path: { key: type.uuid } },
});
const start: string = days.data!.data[0].slots[0].start_time;

const booked = await client.POST('/api/v1/events', {
  params: { header: { 'Idempotency-Key': 'openapi-typescript' } },
  body: {
    event_type_id: type.id,
    attendee_email: 'john@example.com',
    attendee_name: 'John Doe',
    start_time: start,
    custom_field_values: { company: 'ACME Corp' },
  },
});

const read = await client.GET('/api/v1/events/{key}', {
  params: { path: { key: booked.data!.data.uuid } },
});
const event = read.data!.data;

const missing = await client.GET('/api/v1/events/{key}', {
  params: { path: { key: 'evt_00000000000000000000' } },
});
console.log(JSON.stringify([event.uuid, event.status, event.start_time, missing.error?.error]));
