// @ts-check
// Asks for the page again while a job goes on, and takes over how far it has come.

const PAUSE = 1500;

/** Take over what the page says now; when the job has ended, show that page. */
async function look() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = page.querySelector("[data-progress=on]");
  const shown = document.querySelector("[data-progress]");
  if (!answer.ok || now === null || shown === null) {
    location.reload();
    return;
  }
  for (const part of ["[role=status]", "progress"]) {
    const fresh = now.querySelector(part);
    const old = shown.querySelector(part);
    if (fresh !== null && old !== null && fresh.outerHTML !== old.outerHTML) old.replaceWith(fresh);
  }
  setTimeout(look, PAUSE);
}

setTimeout(look, PAUSE);
