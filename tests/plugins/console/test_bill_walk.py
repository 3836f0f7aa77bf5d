"""A bill in a real browser: opened, asked why, printed and checked, on a phone and wide."""

import pytest
from playwright.async_api import Browser

from tests.plugins.console import inn
from tests.plugins.console.browser import Scheme, tab_of
from tests.plugins.console.service import Service

pytestmark = pytest.mark.needs("chromium")


@pytest.mark.parametrize(
    ("language", "width", "bills", "why"),
    [("en", 1280, "Bills", "Why?"), ("pt-BR", 360, "Contas", "Por quê?")],
)
async def test_from_the_list_to_why(
    browser: Browser, open_service: Service, language: str, width: int, bills: str, why: str
) -> None:
    """The list leads to the bill, and each line to its reasons; axe finds nothing on the way."""
    await inn.fill(open_service, quality="estimated")
    bill = await inn.issue(open_service)
    scheme: Scheme = "dark" if width < 1000 else "light"
    async with tab_of(browser, open_service, language=language, width=width, scheme=scheme) as tab:
        await tab.open("/console/bills")
        assert await tab.heading() == bills
        assert await tab.axe() == ""
        assert await tab.overhang() == 0

        await tab.press(".bill-list a")
        assert bill in tab.page.url
        await tab.press(f"a:has-text('{why}') >> nth=0")
        assert await tab.page.locator("ol.why-steps > li").count() == 5
        assert await tab.page.locator(".why-columns svg:visible").count() == 1
        assert await tab.page.locator("[data-print]").is_visible()
        assert await tab.axe() == ""
        assert await tab.overhang() == 0

        for path in ("/console/bills/new", f"/console/bills/{bill}/check"):
            await tab.open(path)
            assert await tab.axe() == ""
            assert await tab.overhang() == 0


async def test_without_scripts(browser: Browser, open_service: Service) -> None:
    """Without JavaScript a draft is issued, and the button that prints is not there."""
    await inn.fill(open_service)
    bill = await inn.draft(open_service)
    async with tab_of(browser, open_service, javascript=False) as tab:
        await tab.open(f"/console/bills/{bill}")
        assert not await tab.page.locator("[data-print]").is_visible()
        await tab.press("text=Issue >> nth=0")
        await tab.press("button:text-is('Issue the bill')")
        assert "Issued on" in await tab.page.locator("main").inner_text()


async def test_on_paper(browser: Browser, open_service: Service) -> None:
    """A printed bill is one page, with all columns and nothing to press."""
    await inn.fill(open_service)
    bill = await inn.issue(open_service)
    async with tab_of(browser, open_service, width=688) as tab:
        await tab.open(f"/console/bills/{bill}?why=0")
        await tab.page.emulate_media(media="print")
        assert (
            not await tab.page.locator("nav, button, .button, .why-steps")
            .locator("visible=true")
            .count()
        )
        assert await tab.page.locator("th.up-to").is_visible()
        printed = await tab.page.pdf(prefer_css_page_size=True)
        assert printed.count(b"/Type /Page\n") == 1
