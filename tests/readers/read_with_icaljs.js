// Program that reads calendar objects with the npm package `ical.js`.
//
// It reads a JSON object of names and texts, and prints what it found in each.

import { readFileSync } from "node:fs";
import ICAL from "ical.js";

function read(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  return {
    method: calendar.getFirstPropertyValue("method"),
    entries: calendar.getAllSubcomponents("vevent").map(entry),
  };
}

function entry(component) {
  const event = new ICAL.Event(component, { strictExceptions: true });
  return {
    uid: event.uid,
    sequence: event.sequence,
    status: component.getFirstPropertyValue("status"),
    start: moment(event.startDate),
    end: moment(event.endDate),
    summary: event.summary,
    description: event.description,
    location: event.location,
    url: component.getFirstPropertyValue("url"),
    organizer: person(component.getFirstProperty("organizer")).slice(0, 2),
    attendees: event.attendees.map(person),
  };
}

function moment(time) {
  if (time.zone !== ICAL.Timezone.utcTimezone) throw new Error(`not in UTC: ${time}`);
  return time.toString().replace("Z", "+0000");
}

function person(property) {
  return [
    property.getFirstValue(),
    property.getFirstParameter("cn") ?? null,
    property.getFirstParameter("partstat") ?? null,
  ];
}

const texts = JSON.parse(readFileSync(0, "utf8"));
const found = Object.entries(texts).map(([name, text]) => [name, read(text)]);
console.log(JSON.stringify(Object.fromEntries(found)));
