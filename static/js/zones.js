// Wall clocks and instants, by the same rule as the server's (`meetings/domain/when.py`).

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
export function instantOf(wall, zone) {
  const before = wall - offset(zone, wall - 24 * HOUR);
  const after = wall - offset(zone, wall + 24 * HOUR);
  return [before, after].find((instant) => instant + offset(zone, instant) === wall) ?? before;
}
