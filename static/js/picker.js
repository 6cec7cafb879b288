// The month picker. Choosing a day, a time or a zone exchanges a part of the page, and not the whole.
// Each of these is a form that works by itself; where anything goes wrong here, the browser takes over.

import { fold } from "./fold.js";
import { forget, keep, release } from "./keys.js";

const live = document.querySelector("[data-live]");
const said = document.querySelector("[data-said]");

const PATIENCE = 10_000;
const CONTROLS = "a, button, input:not([type=hidden]), select, textarea";
// Of these a query has one.
const WHEN = ["month", "day", "start"];

// The address that is being fetched. The old part stays in use until the new one is there.
let wanted = null;
// A field that is taken away with text in it says that it has changed: nobody has sent it yet.
let isExchanging = false;

/** Exchange the part for that of another address, and say what it now shows. */
async function show(url, by = null) {
  wanted = url;
  announce(by);
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const answer = await fetch(url, { headers: { Accept: "text/html" }, signal });
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (wanted !== url) return; // something else is wanted by now
    exchange(page.querySelector("[data-live]"), by);
    if (by?.name === "day") reveal();
  } catch {
    if (wanted !== url) return;
    wanted = null;
    forget();
    location.assign(url);
    return;
  }
  wanted = null;
  live.removeAttribute("aria-busy");
  said.textContent = live.querySelector("[data-say]")?.textContent ?? "";
  roam();
fold();
  release(() => !wanted);
}

/** Show that an answer is awaited: a bar at the top of the window, and a mark on what was chosen. */
function announce(by) {
  live.setAttribute("aria-busy", "true");
  for (const other of live.querySelectorAll("[data-awaited]")) delete other.dataset.awaited;
  if (by?.matches("button, a")) by.dataset.awaited = "";
}

/** Bring the times into view where they stand below the month, as on a phone. */
function reveal() {
  const [month, times] = [".month", ".times"].map((part) => live.querySelector(part));
  if (times.offsetTop > month.offsetTop + month.offsetHeight - 1) times.scrollIntoView();
}

/** Put in the new part. The focus stays where it is by now, and so does what was typed. */
function exchange(part, by) {
  const focused = live.contains(document.activeElement) ? document.activeElement : by;
  const fields = [...live.querySelectorAll("input:not([type=hidden]), select, textarea")];
  isExchanging = true;
  live.replaceChildren(...part.childNodes);
  isExchanging = false;
  Object.assign(live.dataset, part.dataset);
  for (const field of fields.filter(isUnsent)) carry(field, successor(field));
  if (!focused) return;
  const same = isSent(focused) ? null : successor(focused);
  const next = same ?? live.querySelector("[data-focus]") ?? live.querySelector("h2");
  next.focus({ preventScroll: !next.matches("[data-focus]") });
  if (same && focused.selectionStart != null)
    same.setSelectionRange(focused.selectionStart, focused.selectionEnd);
}

const isSent = ({ name, value }) => name === "zone" && value === wanted.searchParams.get("zone");

function isUnsent(field) {
  if (field.checked !== field.defaultChecked) return true;
  return field.value !== field.defaultValue && !isSent(field);
}

function carry(field, same) {
  if (!same) return;
  same.value = field.value;
  if ("checked" in field) same.checked = field.checked;
}

/** Return the control of the new part that a control of the old one has become. */
function successor(control) {
  const isOneOfMany = control.matches("button, [type=checkbox], [type=radio]");
  return [...live.querySelectorAll(CONTROLS)].find(
    (other) =>
      other.localName === control.localName &&
      other.name === control.name &&
      (!isOneOfMany || other.value === control.value),
  );
}

function go(url, by) {
  // The enter key both changes a field and sends its form.
  if (wanted ? wanted.href === url.href : isShown(url)) {
    if (by?.name === "day") reveal();
    return;
  }
  history.pushState(null, "", url);
  show(url, by);
}

/** Tell whether the part shows already what this address asks for. */
function isShown(url) {
  const shown = [...live.querySelectorAll('button[aria-pressed="true"], form[method=get] input')];
  return [...url.searchParams].every(([name, value]) =>
    shown.some((one) => one.name === name && (one.defaultValue ?? one.value) === value),
  );
}

/** Return what a form asks for, beside what was asked for before and is not shown yet. */
function queryOf(form, submitter) {
  const query = new URLSearchParams(new FormData(form));
  if (wanted) for (const { name } of form.querySelectorAll("[type=hidden]")) query.delete(name);
  if (submitter?.name) query.set(submitter.name, submitter.value);
  if (wanted) {
    const isWhen = WHEN.some((name) => query.has(name));
    for (const [name, value] of wanted.searchParams)
      if (!query.has(name) && !(isWhen && WHEN.includes(name))) query.set(name, value);
  }
  query.sort();
  return query;
}

live.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "get") return;
  event.preventDefault();
  const url = new URL(form.action);
  url.hash = ""; // where a browser without scripts scrolls to
  url.search = queryOf(form, event.submitter);
  go(url, event.submitter);
});

live.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const url = new URL(link.href);
  if (url.pathname !== location.pathname || !url.search) return;
  event.preventDefault();
  url.hash = "";
  go(url, link);
});

// A zone that is picked from the list, or typed in full, needs no button. Nor does a team mate.
live.addEventListener("change", ({ target }) => {
  if (target.matches("#zone, [data-pick]") && !isExchanging) target.form.requestSubmit();
});

addEventListener("popstate", () => show(new URL(location.href)));

// --- the days of the month, by arrow keys: one stop for the tab key ---

const days = () => [...live.querySelectorAll("button.month-day")];

function roam() {
  const all = days();
  const start =
    all.find((day) => day === document.activeElement) ??
    all.find((day) => day.ariaPressed === "true") ??
    all[0];
  for (const day of all) day.tabIndex = day === start ? 0 : -1;
}

const rightToLeft = getComputedStyle(document.documentElement).direction === "rtl";
const STEPS = {
  ArrowLeft: rightToLeft ? 1 : -1,
  ArrowRight: rightToLeft ? -1 : 1,
  ArrowUp: -7,
  ArrowDown: 7,
};

live.addEventListener("keydown", (event) => {
  if (wanted) {
    keep(event);
    return;
  }
  const step = STEPS[event.key];
  const all = days();
  const here = all.indexOf(event.target);
  if (!step || here < 0) return;
  event.preventDefault();
  const at = (day) => Date.parse(day.value) / 86_400_000;
  const goal = at(event.target) + step;
  // The nearest open day in that direction, at least as far as the key goes.
  const next =
    step > 0 ? all.find((day) => at(day) >= goal) : all.findLast((day) => at(day) <= goal);
  const to = next ?? (step > 0 ? all.at(-1) : all[0]);
  for (const day of all) day.tabIndex = day === to ? 0 : -1;
  to.focus();
});

// --- the browser knows on which clock its reader is ---

const { timeZone, hourCycle } = new Intl.DateTimeFormat(undefined, {
  hour: "numeric",
}).resolvedOptions();

const known = {
  zone: timeZone,
  hours: hourCycle === "h11" || hourCycle === "h12" ? "12" : "24",
};
const better = (live.dataset.guess ?? "")
  .split(" ")
  .filter((name) => known[name] && known[name] !== live.dataset[name]);
if (better.length) {
  const url = new URL(location.href);
  for (const name of better) url.searchParams.set(name, known[name]);
  history.replaceState(null, "", url);
  show(url);
}
roam();
fold();
