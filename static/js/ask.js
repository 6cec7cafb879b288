// Says below the date and time which moment they name: on the recipient's clock and on one's own.

import { instantOf } from "./zones.js";

const form = document.querySelector("[data-ask]");
const { ownZone, hours, sentence, same } = form.dataset;
const [person, date, time] = ["mate", "date", "time"].map((name) => form.elements[name]);
const output = form.querySelector("output");

const DAY = { weekday: "short", day: "numeric", month: "short" };
const TIME =
  hours === "12"
    ? { hour: "numeric", minute: "2-digit", hourCycle: "h12" }
    : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

function shown(instant, timeZone, parts) {
  const { lang } = document.documentElement;
  return new Intl.DateTimeFormat(lang, { timeZone, ...parts }).format(instant);
}

function told() {
  const { zone, zoneName } = person.selectedOptions[0]?.dataset ?? {};
  const wall = Date.parse(`${date.value}T${time.value}Z`);
  if (!zone || Number.isNaN(wall)) return "";
  const instant = instantOf(wall, zone);
  const sameDay = shown(instant, zone, DAY) === shown(instant, ownZone, DAY);
  return (zone === ownZone ? same : sentence)
    .replace("{theirs}", shown(instant, zone, { ...DAY, ...TIME }))
    .replace("{zone}", zoneName)
    .replace("{yours}", shown(instant, ownZone, sameDay ? TIME : { ...DAY, ...TIME }));
}

function tell() {
  try {
    output.textContent = told();
  } catch {
    output.textContent = ""; // a zone that this browser has never heard of
  }
  output.hidden = !output.textContent;
}

for (const field of [person, date, time]) field.addEventListener("input", tell);
tell();
