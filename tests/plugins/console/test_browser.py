"""The browser that tests look with: it tells what is not as it must be."""

import asyncio

import pytest
from playwright.async_api import Browser

from tests.plugins.console.browser import tab_of
from tests.plugins.console.service import Service

pytestmark = pytest.mark.needs("chromium")


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("new Image().src = 'http://127.0.0.2:9/x.png'", "asks another host"),
        ("document.body.setAttribute('style', 'color: red')", "Content Security Policy"),
        ("console.warn('odd')", "warning: odd"),
        ("setTimeout(() => { throw new Error('odd') })", "a script fails: odd"),
        ("fetch('/console/sign-in?language=' + 'x'.repeat(9000))", "400"),
    ],
)
async def test_what_it_does_not_forgive(
    browser: Browser, service: Service, script: str, fault: str
) -> None:
    """Other hosts, what the policy forbids, warnings and errors of scripts fail a test."""
    with pytest.raises(AssertionError, match=fault):
        async with tab_of(browser, service) as tab:
            await tab.open("/console/sign-in")
            await tab.page.evaluate(script)
            async with asyncio.timeout(30):
                while not any(fault in one for one in tab.faults):
                    await asyncio.sleep(0.01)


async def test_axe_sees_what_is_wrong(browser: Browser, service: Service) -> None:
    """A field without a label and a page without a language are found."""
    async with tab_of(browser, service) as tab:
        await tab.open("/console/sign-in")
        assert await tab.axe() == ""
        await tab.page.evaluate("document.documentElement.removeAttribute('lang')")
        await tab.page.evaluate("document.querySelector('label').remove()")
        found = await tab.axe()

    assert "html-has-lang" in found
    assert "label" in found
