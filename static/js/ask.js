// Says below the date and time which moment they name: on the recipient's clock and on one's own.

const form = document.querySelector("[data-ask]");
const { ownZone, hours, sentence, same } = form.dataset;
const [person, date, time] = ["mate", "date", "time"].map((name) => form.elements[name]);
const output = form.querySelector("output");

const HOUR = 3_600_000;

/** How far a zone's clock is ahead of UTC at this instant, in milliseconds. */
function offset(zone, instant) {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(instant);
  const at = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second) - instant;
}

/**
 * The instant at which a zone's clock shows this time, by the server's rule: the first of two where
 * it is shown twice, and the offset before the gap where it is never shown.
 */
function instantOf(wall, zone) {
  const before = wall - offset(zone, wall - 24 * HOUR);
  const after = wall - offset(zone, wall + 24 * HOUR);
  return [before, after].find((instant) => instant + offset(zone, instant) === wall) ?? before;
}

function shown(instant, zone, withDay) {
  const day = withDay ? { weekday: "short", day: "numeric", month: "short" } : {};
  return new Intl.DateTimeFormat(document.documentElement.lang, {
    timeZone: zone,
    hour: hours === "12" ? "numeric" : "2-digit",
    minute: "2-digit",
    hourCycle: hours === "12" ? "h12" : "h23",
    ...day,
  }).format(instant);
}

function tell() {
  const zone = person.selectedOptions[0]?.dataset.zone;
  const wall = Date.parse(`${date.value}T${time.value}Z`);
  output.hidden = !zone || Number.isNaN(wall);
  if (output.hidden) return;
  const instant = instantOf(wall, zone);
  const dayOf = (where) => shown(instant, where, true).replace(shown(instant, where, false), "");
  const words = zone === ownZone ? same : sentence;
  output.textContent = words
    .replace("{theirs}", shown(instant, zone, true))
    .replace("{zone}", zone)
    .replace("{yours}", shown(instant, ownZone, dayOf(zone) !== dayOf(ownZone)));
}

for (const field of [person, date, time]) field.addEventListener("input", tell);
tell();
