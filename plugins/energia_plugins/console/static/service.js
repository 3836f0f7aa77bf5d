// @ts-check
/** Keeps the jobs of the page as they are, while any of them runs. */

const PERIOD = 3000;

/** @returns {HTMLElement | null} The section of the jobs. */
const section = () => document.getElementById("jobs-section");

/** @returns {boolean} Whether any job runs, and nobody is at its buttons. */
const runs = () =>
  section()?.querySelector("progress, form[action$='/cancel']") != null &&
  !section()?.contains(document.activeElement);

/** Ask for the page anew, and put its jobs in the place of those that are shown. */
async function renew() {
  if (runs() && !document.hidden) {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("jobs-section");
      if (fresh) section()?.replaceWith(fresh);
    }
  }
}

setInterval(() => renew().catch(() => {}), PERIOD);
