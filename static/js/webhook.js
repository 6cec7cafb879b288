// The form of a webhook: a box that ticks all of its group, and room for more headers.

for (const group of document.querySelectorAll("[data-everything]")) {
  const whole = group.querySelector("[name=everything]");
  const boxes = [...group.querySelectorAll("[name=events]")];
  const follow = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    whole.checked = ticked === boxes.length;
    whole.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  if (whole.checked) for (const box of boxes) box.checked = true;
  follow();
  whole.addEventListener("change", () => {
    for (const box of boxes) box.checked = whole.checked;
  });
  for (const box of boxes) box.addEventListener("change", follow);
}

const headers = document.querySelector("[data-headers]");
const total = headers.querySelector("[name=headers-TOTAL_FORMS]");
const template = headers.querySelector("template");

headers.querySelector("[data-more]").addEventListener("click", () => {
  const rows = headers.querySelectorAll(".webhook-header");
  const html = template.innerHTML.replaceAll("__prefix__", total.value);
  template.insertAdjacentHTML("beforebegin", html);
  total.value = rows.length + 1;
  template.previousElementSibling.querySelector("input").focus();
});
