// @ts-check
/** Shows the button that prints a page: without this script the browser's menu does it. */

for (const button of document.querySelectorAll("[data-print]")) {
  if (button instanceof HTMLButtonElement) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}
