// Adds, removes and copies windows of hours in place. Without it the same buttons ask the server.

function windowsOf(form, key) {
  return form.querySelector(`[data-windows="${key}"]`);
}

function list(windows) {
  return windows.querySelector(".windows-list");
}

function on(form, key, value) {
  const control = form.querySelector(`[data-on="${key}"]`);
  if (value || control.type === "checkbox") control.checked = value;
  else form.querySelector("[data-off]").checked = true;
}

function blank(form, key) {
  return form.querySelector(`[data-blank="${key}"]`).content.cloneNode(true);
}

function add(form, key) {
  const windows = windowsOf(form, key);
  list(windows).append(blank(form, key));
  on(form, key, true);
  list(windows).lastElementChild.querySelector("input").focus();
}

// A day whose only window goes is off, and keeps it for when it is on again.
function remove(form, key, button) {
  const windows = windowsOf(form, key);
  if (list(windows).children.length > 1) {
    button.closest("[data-window]").remove();
    windows.querySelector(".windows-add").focus();
  } else {
    on(form, key, false);
    form.querySelector(`[data-on="${key}"]`).focus();
  }
}

function copy(form, key, button) {
  const chosen = button.closest("fieldset").querySelectorAll("input:checked");
  const source = list(windowsOf(form, key)).querySelectorAll("[data-window]");
  const isOn = form.querySelector(`[data-on="${key}"]`).checked;
  for (const target of chosen) {
    const rows = [...source].map((row) => {
      const copied = blank(form, target.value);
      const inputs = copied.querySelectorAll("input");
      row.querySelectorAll("input").forEach((input, place) => {
        inputs[place].value = input.value;
      });
      return copied;
    });
    list(windowsOf(form, target.value)).replaceChildren(...rows);
    on(form, target.value, isOn);
    target.checked = false;
  }
  const details = button.closest("details");
  details.open = false;
  details.querySelector("summary").focus();
  const said = form.querySelector("[data-said]");
  said.textContent = chosen.length ? said.dataset.copied : "";
}

const ACTS = { add, remove, copy };

for (const form of document.querySelectorAll("[data-hours]")) {
  form.addEventListener("click", (event) => {
    const button = event.target.closest('button[name="act"]');
    const [what, key] = button?.value.split("-") ?? [];
    if (!ACTS[what]) return;
    event.preventDefault();
    ACTS[what](form, key, button);
  });
}
