// What every page gains from a script: menus that close, forms that are sent once, texts that are
// copied, passwords that are shown, and messages, faults and the present tab in view. Everything
// works without it.

document.documentElement.classList.add("scripted");
// A browser lets no page copy that came over plain HTTP.
if (navigator.clipboard) document.documentElement.classList.add("copying");

const menus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of menus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  // A script answers it, or a file does: the page stays, and may be asked again.
  if (event.defaultPrevented || "download" in form.dataset) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // A browser remembers what it sends from a field that shows its text.
  for (const button of form.querySelectorAll('[data-show][aria-pressed="true"]')) show(button, false);
  event.submitter?.setAttribute("aria-disabled", "true");
});

// Back from the next page, the browser may show this one as it was left.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-disabled]")) {
    button.removeAttribute("aria-disabled");
  }
});

// <button data-copy="#id" data-copied="Copied">: takes along the text of that element.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
  button.firstChild.textContent = button.dataset.copied;
});

// <button data-show="#id" aria-pressed="false">: shows what is typed into that password field.
function show(button, isShown) {
  document.querySelector(button.dataset.show).type = isShown ? "text" : "password";
  button.setAttribute("aria-pressed", String(isShown));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-show]");
  if (button) show(button, button.getAttribute("aria-pressed") !== "true");
});

// The page opens at the part that its address names. What was done is said there, and what is wrong
// with a form is shown: above it nobody would see it.
const part = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
const done = document.querySelector(".notices")?.parentElement;
if (part && done) {
  (part.closest("section, form") ?? part).before(done);
  done.scrollIntoView({ block: "nearest" });
}
document.querySelector('[aria-invalid="true"]')?.scrollIntoView({ block: "nearest" });

// Only its strip is moved, not the page.
const tab = document.querySelector(".tab[aria-current]");
if (tab) {
  const strip = tab.closest(".tabs");
  const [inner, outer] = [tab, strip].map((element) => element.getBoundingClientRect());
  strip.scrollBy({ left: inner.left + inner.width / 2 - outer.left - outer.width / 2 });
}
