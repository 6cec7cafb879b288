// Keeps the keys that are pressed while a part of the page is exchanged, and presses them again in
// the new part. A browser lets no script press a key, so each effect that the page needs is here.

const KEPT = ["Tab", "Enter", "Backspace", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
const STOPS = "a[href], button, input, select, textarea, summary, [tabindex]";
const TEXT = "input:not([type=checkbox], [type=radio]), textarea";

let kept = [];

/** Keep this key press for later, unless it belongs to the browser or edits a text in place. */
export function keep(event) {
  const { key, shiftKey, target } = event;
  const isChord =
    (event.ctrlKey || event.altKey || event.metaKey) && !event.getModifierState("AltGraph");
  if (isChord || !(KEPT.includes(key) || [...key].length === 1)) return;
  // So does what is chosen from a list.
  if (target.matches("select") && key !== "Tab") return;
  // The text itself is carried over, so that input methods work as ever.
  if (target.matches(TEXT) && !kept.length) return;
  event.preventDefault();
  if (!event.repeat || key !== "Enter") kept.push({ key, shiftKey });
}

/** Press what was kept, in its order, while the page is ready for it. */
export function release(isReady) {
  while (kept.length && isReady()) press(kept.shift());
}

/** Forget what was kept: the browser loads another page. */
export function forget() {
  kept = [];
}

function press({ key, shiftKey }) {
  const here = document.activeElement;
  const event = new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true });
  if (!here.dispatchEvent(event)) return; // a script of the page has done it
  if (key === "Tab") step(here, shiftKey);
  else if (key === "Enter" && here.matches("input")) here.form?.requestSubmit();
  else if (here.matches(TEXT)) type(key);
  else if (key === "Enter" && here.matches("a, button, summary")) here.click();
  else if (key === " " && here.matches("button, input, summary")) here.click();
}

/** Move the focus to the next stop of the Tab key, or to the one before. */
function step(here, back) {
  const isShown = (stop) => stop.checkVisibility({ visibilityProperty: true });
  const stops = [...document.querySelectorAll(STOPS)].filter(
    (stop) => stop.tabIndex >= 0 && !stop.disabled && isShown(stop),
  );
  const side = back ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
  const beyond = stops.filter((stop) => here.compareDocumentPosition(stop) & side);
  const next = back ? beyond.at(-1) : beyond[0];
  next?.focus();
  if (next?.matches("input")) next.select();
}

// No other way types into every kind of field, and can be undone.
function type(key) {
  if (key === "Backspace") document.execCommand("delete");
  else if (key === "Enter") document.execCommand("insertLineBreak");
  else if (!KEPT.includes(key)) document.execCommand("insertText", false, key);
}
