// @ts-check
// A file is dropped onto the field that takes it, and the form is as if it had been chosen there.

for (const place of document.querySelectorAll("[data-drop]")) {
  const input = /** @type {HTMLInputElement} */ (place.querySelector("input[type=file]"));

  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    const files = /** @type {DragEvent} */ (event).dataTransfer?.files;
    if (files?.length) {
      input.files = files;
      input.focus();
    }
  });
}
