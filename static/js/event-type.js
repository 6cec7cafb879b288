// The form of an event type: a preview beside it, fields that fit the location, sections that open
// where a value is refused, and a warning before what is not saved gets lost.

const form = document.querySelector("[data-event-type]");
const preview = document.querySelector("[data-preview]");
const { color, currency, description, duration, location: place, price } = form.elements;
const { location_custom: custom, location_link: link, link_later: later, name } = form.elements;
const other = form.elements.duration_other;

const ONLINE = ["zoom_meeting", "google_meet", "custom"];
// Their names say enough.
const KNOWN = ["zoom_meeting", "google_meet"];

// --- what is not saved ---

let isUnsaved = "unsaved" in form.dataset;

form.addEventListener("input", () => (isUnsaved = true));
form.addEventListener("click", (event) => {
  if (event.target.closest('[data-questions] button[name="act"]')) isUnsaved = true;
});
form.addEventListener("submit", () => (isUnsaved = false));
form.querySelector("[data-leave]").addEventListener("click", () => (isUnsaved = false));
addEventListener("beforeunload", (event) => {
  if (isUnsaved) event.preventDefault();
});

// --- fields ---

// A browser shows no message in a section that is folded.
form.addEventListener(
  "invalid",
  (event) => {
    const section = event.target.closest("details");
    if (section) section.open = true;
  },
  true,
);

other.addEventListener("input", () => (duration.value = "other"));

link.addEventListener("input", () => {
  if (link.value) later.checked = false;
});

// --- the preview ---

function money() {
  if (!Number(price.value)) return "";
  try {
    const style = { style: "currency", currency: currency.value };
    return new Intl.NumberFormat(document.documentElement.lang, style).format(price.value);
  } catch {
    return `${price.value} ${currency.value}`; // not a code yet
  }
}

const TEXTS = {
  name: () => name.value || name.labels[0].firstChild.textContent,
  length: () => {
    const minutes = duration.value === "other" ? other.value : duration.value;
    return minutes && preview.dataset.minutes.replace("0", minutes);
  },
  place: () => custom.value || place.selectedOptions[0].text,
  price: money,
  description: () => description.value,
};

function show() {
  for (const [what, text] of Object.entries(TEXTS)) {
    const element = preview.querySelector(`[data-show="${what}"]`);
    element.textContent = text();
    element.hidden = !element.textContent;
  }
  preview.querySelector("circle").setAttribute("fill", color.value);
  form.querySelector("[data-online]").hidden = !ONLINE.includes(place.value);
  custom.closest(".field").hidden = KNOWN.includes(place.value) && !custom.value;
}

form.addEventListener("input", show);
preview.hidden = false;
show();
