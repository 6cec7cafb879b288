// Choosing a day, a time or a zone exchanges a part of the page instead of the whole. Each of these
// is a form that works by itself; where anything goes wrong here, the browser takes over.

const live = document.querySelector("[data-live]");
const said = document.querySelector("[data-said]");

let asked = 0;

/** Exchanges the part for that of another address, and says what it now shows. */
async function show(url, focus = () => {}) {
  const mine = ++asked;
  live.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page.querySelector("[data-live]");
    if (mine !== asked) return; // something else is wanted by now
    live.replaceChildren(...part.childNodes);
    Object.assign(live.dataset, { zone: part.dataset.zone, hours: part.dataset.hours });
  } catch {
    location.assign(url);
    return;
  }
  live.removeAttribute("aria-busy");
  said.textContent = live.querySelector("[data-say]")?.textContent ?? "";
  focus();
  roam();
}

function go(url, focus) {
  // The enter key both changes a field and sends its form.
  if (url.href === location.href && live.ariaBusy === "true") return;
  history.pushState(null, "", url);
  show(url, focus);
}

/** Where the keyboard was, or at the head of what is new. */
function refocus(name, value) {
  const same = [...live.querySelectorAll(`button[name="${name}"]`)];
  const next =
    live.querySelector("[data-focus]") ??
    same.find((button) => button.value === value) ??
    live.querySelector("h2");
  next.focus({ preventScroll: !next.matches("[data-focus]") });
}

live.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "get") return;
  event.preventDefault();
  const url = new URL(form.action);
  const { submitter } = event;
  url.search = new URLSearchParams(new FormData(form, submitter)).toString();
  go(url, () => refocus(submitter?.name ?? "", submitter?.value));
});

live.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="?"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(new URL(link.href), () => refocus("", ""));
});

// A zone that is picked from the list, or typed in full, needs no button.
live.addEventListener("change", (event) => {
  if (event.target.name === "zone") event.target.form.requestSubmit();
});

addEventListener("popstate", () => show(location.href));

// --- the days of the month, by arrow keys: one stop for the tab key ---

const days = () => [...live.querySelectorAll("button.month-day")];

function roam() {
  const all = days();
  const start = all.find((day) => day.ariaPressed === "true") ?? all[0];
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
  const step = STEPS[event.key];
  const all = days();
  const here = all.indexOf(event.target);
  if (!step || here < 0) return;
  event.preventDefault();
  const at = (day) => Date.parse(day.value) / 86_400_000;
  const wanted = at(event.target) + step;
  // The nearest open day in that direction, at least as far as the key goes.
  const next =
    step > 0 ? all.find((day) => at(day) >= wanted) : all.findLast((day) => at(day) <= wanted);
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
