// Adds, removes and orders the questions of an event type in place. Without it the same buttons ask
// the server. Their order is that in which they stand.

const editor = document.querySelector("[data-questions]");
const list = editor.querySelector(".questions");
const html = editor.querySelector("template").innerHTML;
const keys = [...list.querySelectorAll('[name="question"]')].map(({ value }) => Number(value));
let next = Math.max(-1, ...keys) + 1;

function add() {
  list.insertAdjacentHTML("beforeend", html.replaceAll("__key__", next));
  next += 1;
  list.lastElementChild.querySelector("input:not([type=hidden])").focus();
}

const ACTS = {
  up(question) {
    question.previousElementSibling?.before(question);
  },
  down(question) {
    question.nextElementSibling?.after(question);
  },
  remove(question) {
    question.remove();
    editor.querySelector('[value="add-question"]').focus();
  },
};

editor.addEventListener("click", (event) => {
  const button = event.target.closest('button[name="act"]');
  if (!button) return;
  event.preventDefault();
  const [what] = button.value.split("-");
  if (what === "add") {
    add();
    return;
  }
  const question = button.closest("[data-question]");
  ACTS[what](question);
  if (!question.isConnected) return;
  // At either end one of the two buttons is not shown.
  const ways = question.querySelectorAll('[value^="up-"], [value^="down-"]');
  [button, ...ways].find((way) => way.checkVisibility())?.focus();
});

// Only a choice has choices.
function fit(question) {
  const type = question.querySelector('select[name$="-type"]');
  question.querySelector(".question-options").hidden = type.value !== "select";
}

list.addEventListener("change", (event) => fit(event.target.closest("[data-question]")));
new MutationObserver(() => [...list.children].forEach(fit)).observe(list, { childList: true });
[...list.children].forEach(fit);
