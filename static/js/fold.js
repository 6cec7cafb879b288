// Long texts that a phone folds after two lines: the button is there only where a line is folded.

/** Give each folded text its button. The style sheet folds nothing where the screen is wide. */
export function fold() {
  for (const part of document.querySelectorAll("[data-fold]")) {
    const [text, button] = [".fold-text", ".fold-more"].map((one) => part.querySelector(one));
    new ResizeObserver(() => {
      button.hidden = text.scrollHeight <= text.clientHeight + 1;
    }).observe(text);
    button.addEventListener("click", () => {
      part.classList.add("fold-open");
      text.tabIndex = -1;
      text.focus();
    });
  }
}
