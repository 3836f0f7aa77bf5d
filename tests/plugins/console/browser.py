"""A browser that looks at the console, and forgives nothing.

Whatever a page asks of another host, breaks of its own policy, or writes to the browser's console
as a warning or an error fails the test; so does an error of a script.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from shutil import which
from typing import Final, Literal, Protocol, get_args

import attrs
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = get_args(Scheme)
#: What runs as root, asks nothing of its maker, and draws alike everywhere.
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
#: The rules that hold: WCAG 2.2 A and AA, and what axe takes for good manners.
_TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
#: The browser tells of every answer from 400 up, also of the page that a refused form is.
_ANSWER: Final = "Failed to load resource: the server responded"
#: Milliseconds; the machine is shared, and no test waits so long unless something is wrong.
_PATIENCE: Final = 60_000.0


class Served(Protocol):
    """What pages are looked at of."""

    @property
    def url(self) -> str:
        """Where it is, without a slash at its end."""
        ...


# Playwright keeps what it makes of a handler beside it.
@attrs.define(slots=False)
class Tab:
    """A tab of a browser at the console.

    Attributes:
        page: The tab, for all that playwright can do.
        url: Where the service is.
        faults: What was not as it must be so far.

    """

    page: Page
    url: str
    faults: list[str] = attrs.Factory(list)

    def watch(self) -> None:
        """Note whatever is not as it must be, from now on."""
        self.page.on("request", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"a script fails: {error}"))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:")):
            self.faults.append(f"asks another host: {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        is_of_page = message.location.get("url") == self.page.url
        if message.type not in ("error", "warning"):
            return
        if not (is_of_page and message.text.startswith(_ANSWER)):
            self.faults.append(f"the browser's {message.type}: {message.text}")

    async def open(self, path: str = "/console") -> int:
        """Open a page, wait until it is drawn, and return the status of its answer."""
        answer = await self.page.goto(self.url + path, wait_until="load")
        assert answer is not None
        return answer.status

    async def sign_in(self, token: str) -> None:
        """Sign in as a person does, in English or in Portuguese."""
        await self.page.get_by_label("Token").fill(token)
        await self.press("main button")

    async def press(self, selector: str) -> None:
        """Press what leads elsewhere, and wait until one is there."""
        async with self.page.expect_navigation(wait_until="load"):
            await self.page.locator(selector).click()

    async def heading(self) -> str:
        """Return what the page is called: it has one `h1`."""
        return await self.page.locator("h1").inner_text()

    async def axe(self) -> str:
        """Return what axe finds, as a text; nothing where everybody can use the page."""
        options = {"runOnly": {"type": "tag", "values": list(_TAGS)}}
        found = await Axe().run(self.page, options=options)
        return str(found.generate_report()) if found.violations_count else ""

    async def overhang(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        size = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(await self.page.evaluate(size))

    async def focused(self) -> str:
        """Return the text of what has the focus, and whether a person sees that it has."""
        said = """() => {
            const one = document.activeElement, style = getComputedStyle(one);
            const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
            const text = one.labels?.[0]?.innerText ?? one.innerText;
            return (text ?? '').trim() + (seen ? '' : ' (unseen)');
        }"""
        return str(await self.page.evaluate(said))


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run Debian's Chromium while the block lasts."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=_path(), args=list(_FLAGS), timeout=_PATIENCE
        )
        try:
            yield browser
        finally:
            await browser.close()


def _path() -> str:
    """Return where Chromium is, as `needs("chromium")` has found it."""
    found = which("chromium")
    assert found is not None
    return found


@asynccontextmanager
async def tab_of(
    browser: Browser,
    service: Served,
    *,
    language: str = "en",
    width: int = 1280,
    scheme: Scheme = "light",
    javascript: bool = True,
    token: str | None = None,
) -> AsyncIterator[Tab]:
    """Give a tab of a person of its own; with *token* they have signed in.

    Raises:
        AssertionError: At the end, with everything that was not as it must be.

    """
    context = await browser.new_context(
        viewport={"width": width, "height": 900},
        locale=language,
        color_scheme=scheme,
        java_script_enabled=javascript,
    )
    context.set_default_timeout(_PATIENCE)
    tab = Tab(await context.new_page(), service.url)
    tab.watch()
    if token is not None:
        await tab.open("/console/sign-in")
        await tab.sign_in(token)
    yield tab
    await tab.page.evaluate("0")  # what was said before has arrived then
    await context.close()
    assert not tab.faults, tab.faults
