// @ts-check
// The editor of tariffs without reloading: buttons change the form, and typing changes the price.

const PAUSE = 500;
const form = /** @type {HTMLFormElement | null} */ (document.getElementById("editor"));

if (form) {
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /**
   * What the same page says after a button was pressed; null if another one was since then.
   * @param {string} action
   */
  async function answer(action) {
    const mine = ++asked;
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(/** @type {HTMLFormElement} */ (form))) {
      if (name !== "do") body.append(name, String(value));
    }
    body.append("do", action);
    const response = await fetch(form.action, { method: "POST", body });
    const text = await response.text();
    return mine === asked ? new DOMParser().parseFromString(text, "text/html") : null;
  }

  /**
   * Show a part of a page instead of ours; what is open stays open, and what has the focus keeps it.
   * @param {Document} page
   * @param {string} id
   */
  function replace(page, id) {
    const fresh = page.getElementById(id), ours = document.getElementById(id);
    if (!fresh || !ours) return false;
    const open = [...ours.querySelectorAll("details[open][id]")].map((one) => one.id);
    const focused = ours.contains(document.activeElement) ? document.activeElement?.id : "";
    ours.replaceChildren(...fresh.childNodes);
    for (const one of open) document.getElementById(one)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus();
    return true;
  }

  /** @param {HTMLButtonElement} button */
  async function press(button) {
    const page = await answer(button.value);
    if (!page || !replace(page, "editor")) return;
    const place = button.getAttribute("formaction")?.split("#")[1];
    const there = place && place !== "editor" ? document.getElementById(place) : null;
    const added = button.value.startsWith("add:") ? there?.querySelectorAll(":scope > .entry, :scope > .pair, :scope > .charge") : null;
    const target = added?.length ? added[added.length - 1] : there;
    const field = target?.matches("input, select, textarea") ? target : target?.querySelector("input:not([type=hidden]), select, textarea, button");
    /** @type {HTMLElement | null | undefined} */ (field)?.focus();
  }

  form.classList.add("live");
  form.addEventListener("submit", (event) => {
    const button = /** @type {HTMLButtonElement | null} */ (/** @type {SubmitEvent} */ (event).submitter);
    if (!button || button.value === "save") return;
    event.preventDefault();
    clearTimeout(timer);
    press(button);
  });
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const page = await answer("show");
      if (page) replace(page, "price");
    }, PAUSE);
  });
}
