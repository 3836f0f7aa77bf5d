"""Walks through the console in a real browser: signing in and out, by keyboard, without scripts."""

import pytest
from playwright.async_api import Browser

from tests.plugins.console.browser import tab_of
from tests.plugins.console.service import Service

pytestmark = pytest.mark.needs("chromium")


@pytest.mark.parametrize(
    ("language", "asked", "wrong", "home", "leave"),
    [
        ("en", "Sign in", "is not valid: the token is not known.", "Nothing here yet", "Sign out"),
        ("pt-BR", "Entrar", "não vale: ele não é conhecido.", "Ainda não há nada aqui", "Sair"),
    ],
)
async def test_signing_in_and_out(
    browser: Browser,
    service: Service,
    language: str,
    asked: str,
    wrong: str,
    home: str,
    leave: str,
) -> None:
    """Who opens a page is asked for a token, told if it is wrong, led there, and let out again."""
    token = await service.token()
    async with tab_of(browser, service, language=language) as tab:
        assert await tab.open("/console?from=here") == 200
        assert await tab.heading() == asked
        assert await tab.axe() == ""

        await tab.sign_in("nonsense")
        assert wrong in await tab.page.locator(".fault").inner_text()
        assert await tab.page.get_by_label("Token").get_attribute("aria-invalid") == "true"
        assert await tab.axe() == ""

        await tab.sign_in(token)
        assert await tab.heading() == home
        assert tab.page.url == f"{service.url}/console?from=here"
        assert await tab.axe() == ""

        await tab.press(f"button:text-is('{leave}')")
        assert tab.page.url == f"{service.url}/console/sign-in"
        await tab.open()
        assert await tab.heading() == asked


async def test_a_form_of_another_browser(browser: Browser, service: Service) -> None:
    """A form whose token is another browser's changes nothing: the page says so, and leads back."""
    token = await service.token()
    async with tab_of(browser, service, token=token) as tab:
        forge = "document.querySelector('[name=form_token]').value = 'forged'"
        await tab.page.evaluate(forge)
        await tab.press("header button")
        assert await tab.heading() == "The form is out of date"

        await tab.press("main a")
        assert await tab.heading() == "Nothing here yet"
        assert await tab.page.get_by_role("button", name="Sign out").count() == 1


async def test_by_keyboard_alone(browser: Browser, service: Service) -> None:
    """The token is typed and sent without a mouse; then Tab leads to all, and each is seen."""
    token = await service.token()
    async with tab_of(browser, service) as tab:
        await tab.open()
        await tab.page.get_by_label("Token").focus()
        await tab.page.keyboard.type(token)
        await tab.page.keyboard.press("Enter")
        await tab.page.wait_for_url("**/console")

        reached = []
        links = await tab.page.locator(".skip, header a, header button").all_inner_texts()
        for _ in links:
            await tab.page.keyboard.press("Tab")
            reached.append(await tab.focused())
        assert reached == links
        assert links[0] == "To the content"
        await tab.page.keyboard.press("Enter")
        await tab.page.wait_for_url("**language=pt-BR")
        assert await tab.heading() == "Ainda não há nada aqui"


async def test_without_scripts(browser: Browser, service: Service) -> None:
    """Without JavaScript one signs in, goes from page to page, and out."""
    token = await service.token()
    async with tab_of(browser, service, javascript=False, token=token) as tab:
        assert await tab.heading() == "Nothing here yet"
        await tab.press("header button")
        assert await tab.heading() == "Sign in"


@pytest.mark.parametrize("language", ["en", "pt-BR"])
async def test_on_a_phone(browser: Browser, service: Service, language: str) -> None:
    """At 360 px no page is wider than its window, and axe finds nothing, in the dark neither."""
    token = await service.token()
    async with tab_of(browser, service, language=language, width=360, scheme="dark") as tab:
        await tab.open()
        assert await tab.overhang() == 0
        await tab.sign_in(token)
        assert await tab.overhang() == 0
        assert await tab.axe() == ""
        assert await tab.open("/console/nothing-here") == 404
        assert await tab.overhang() == 0
        assert await tab.axe() == ""


async def test_a_link_of_another_site(browser: Browser, service: Service) -> None:
    """Whoever follows one is signed in there, though the browser held the cookie back at first."""
    async with tab_of(browser, service, token=await service.token()) as tab:
        await tab.page.goto(f"data:text/html,<a href='{service.url}/console?from=mail'>Look</a>")
        await tab.page.get_by_text("Look").click()

        await tab.page.get_by_role("button", name="Sign out").wait_for()
        assert await tab.heading() != "One moment"
        assert tab.page.url == f"{service.url}/console?from=mail"
