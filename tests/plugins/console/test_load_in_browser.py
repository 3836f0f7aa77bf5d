"""The load curve in a real browser: zoomed with the mouse and by keyboard, and without scripts."""

import pytest
from playwright.async_api import Browser, expect

from tests.plugins.console import week
from tests.plugins.console.browser import Tab, tab_of
from tests.plugins.console.service import Service
from tests.plugins.console.test_meter import PAGE, WEEK

pytestmark = pytest.mark.needs("chromium")


async def _drag(tab: Tab, left: float, right: float) -> None:
    """Choose part of the curve, from and to a share of its width."""
    box = await tab.page.locator(".u-over").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    await tab.page.mouse.move(box["x"] + box["width"] * left, y)
    await tab.page.mouse.down()
    await tab.page.mouse.move(box["x"] + box["width"] * right, y, steps=4)
    await tab.page.mouse.up()


@pytest.mark.long
async def test_zoom(browser: Browser, open_service: Service) -> None:
    """A year is zoomed to quarter-hours; the URL and the words follow, and one gets back."""
    await week.fill(open_service)
    async with tab_of(browser, open_service, scheme="dark") as tab:
        await tab.open(f"{PAGE}?from=2025-04-01&to=2026-04-01")
        unit = tab.page.locator(".unit")
        await expect(unit).to_contain_text("kW, highest of each day")
        assert await tab.axe() == ""
        whole = await tab.page.locator("#load").get_attribute("data-shown")

        await _drag(tab, 0.91, 0.95)
        await expect(tab.page.locator("#load")).not_to_have_attribute("data-shown", whole or "")
        await _drag(tab, 0.4, 0.6)
        await expect(unit).to_contain_text("kW, average of 15")
        await expect(tab.page.locator("#load-bar")).to_contain_text("Mar 2026,")
        assert "from=2026-0" in tab.page.url
        assert await tab.axe() == ""

        await tab.page.get_by_label("Zoom out").focus()
        for _ in range(2):
            await tab.page.keyboard.press("Enter")
            await tab.page.wait_for_load_state("networkidle")
        await expect(tab.page.locator("#load")).to_have_attribute("data-shown", whole or "")


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
async def test_looks(browser: Browser, open_service: Service, width: int, scheme: str) -> None:
    """On a phone and on a screen nothing hangs over, and everybody can use the pages."""
    await week.fill(open_service)
    async with tab_of(browser, open_service, width=width, language="pt-BR") as tab:
        await tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await tab.open(f"{PAGE}?{WEEK}")
        await expect(tab.page.locator(".unit")).to_contain_text("kW")
        assert (await tab.axe(), await tab.overhang()) == ("", 0)
        await tab.open("/console/meters")
        assert (await tab.axe(), await tab.overhang()) == ("", 0)


async def test_without_scripts(browser: Browser, open_service: Service) -> None:
    """Without scripts the server's picture stands, and links lead to other windows."""
    await week.fill(open_service)
    async with tab_of(browser, open_service, javascript=False) as tab:
        await tab.open(f"{PAGE}?{WEEK}")
        await expect(tab.page.locator("#load .wide-only svg")).to_be_visible()
        await tab.press("#load-bar a:text-is('Day')")
        await expect(tab.page.locator("#load-answer")).to_contain_text("Peak of the day")
