"""The gate: whom it lets in, which forms it keeps out, and what it says then."""

import re
from http import HTTPStatus
from urllib.parse import quote

import pytest
from aiohttp import FormData

from energia.db.pool import Pool
from energia.settings import Auth, Rate
from energia_plugins.console.pages import routes_of
from energia_plugins.console.settings import Settings
from tests.plugins.console.service import Service, serve
from tests.serving import Serving

SIGN_IN = "/console/sign-in"
OURS = {"Sec-Fetch-Site": "same-origin"}
SITE = {"name": "Home", "timezone": "UTC", "country": "GB", "currency": "GBP"}
#: Every route of the console that changes something, with paths that could be something's.
CHANGES = sorted(
    re.sub(r"\{\w+\}", "1", route.path)
    for route in routes_of(Settings())
    if route.method not in ("GET", "HEAD")
)


# Forms.


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "here"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
async def test_a_form_of_another_site(service: Service, headers: dict[str, str]) -> None:
    """Whichever header says where it is from: it is refused with the right token, too."""
    await service.sign_in()
    token = (await service.get("/console")).form_token
    sent = {name: service.url if text == "here" else text for name, text in headers.items()}

    form = {"form_token": token}
    async with service.client.post("/console/sign-out", data=form, headers=sent) as answer:
        text = await answer.text()

    assert answer.status == HTTPStatus.FORBIDDEN
    assert "Nothing was changed. Open the page again" in text
    assert (await service.get("/console")).path == "/console"


async def test_forms_without_their_token(service: Service) -> None:
    """No form of the console does anything without the token that its page was given."""
    await service.sign_in()
    taken = []
    for path in CHANGES:
        for form in ({}, {"form_token": ""}, {"form_token": "guessed"}, _with_file()):
            async with service.client.post(path, data=form, headers=OURS) as answer:
                said = await answer.text()
            if answer.status != HTTPStatus.FORBIDDEN or "The form is out of date" not in said:
                taken.append((path, form, answer.status))

    assert taken == []


def _with_file() -> FormData:
    """Return a form with a file, and a token that is guessed."""
    form = FormData({"form_token": "guessed"})
    form.add_field("file", b"a,b", filename="a.csv")
    return form


async def test_a_form_whose_browser_has_no_token(service: Service) -> None:
    """Without the cookie a form has nothing to be compared with, also not with nothing."""
    form, none = {"form_token": "", "token": await service.token()}, {"Cookie": "energia-form="}

    async with service.client.post(SIGN_IN, data=form, headers=OURS | none) as answer:
        assert answer.status == HTTPStatus.FORBIDDEN


# The API.


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/contracts"),
        ("PUT", "/v1/sites/home"),
        ("PATCH", "/v1/sites/home"),
        ("DELETE", "/v1/sites/home"),
    ],
)
async def test_a_session_does_not_write_over_the_api(
    service: Service, method: str, path: str
) -> None:
    """The cookie is no token there, whatever says that it is from us."""
    await service.sign_in()

    async with service.client.request(method, path, json=SITE, headers=OURS) as answer:
        assert answer.status == HTTPStatus.UNAUTHORIZED
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_session_reads_from_the_api(service: Service) -> None:
    """What scripts of pages read is the caller's; a token that a request sends itself counts."""
    await service.sign_in("readings:read")

    assert (await service.get("/v1/sites")).status == HTTPStatus.OK
    assert (await service.get("/v1/tokens")).status == HTTPStatus.FORBIDDEN
    stranger = await service.get("/v1/sites", Authorization="Bearer nonsense")
    assert stranger.status == HTTPStatus.UNAUTHORIZED


# Who is not known.


@pytest.mark.parametrize("path", ["/console", "/console?from=here&language=en", "/console/x/y?z=1"])
async def test_a_stranger_is_asked_to_sign_in(service: Service, path: str) -> None:
    """And is led where they wanted to go; a path that leads nowhere says so to everybody."""
    asked = await service.get(path)
    if asked.status == HTTPStatus.NOT_FOUND:
        assert "There is nothing here" in asked.text
        assert "<nav" not in asked.html
        return
    back = re.search(r'name="back" value="([^"]*)"', asked.html)
    assert back is not None
    assert back[1].replace("&amp;", "&") == path

    form = {"token": await service.token(), "back": path}
    assert (await service.post(SIGN_IN, form)).path == path


async def test_a_link_of_another_site(service: Service) -> None:
    """Browsers keep the cookie back then, so the page is asked for once more, by ourselves."""
    path = "/console?meter=a&meter=b%20c"

    again = await service.get(path, sec_fetch_site="cross-site")

    assert again.status == HTTPStatus.OK
    assert 'http-equiv="refresh" content="0; url=/console?meter=a&amp;meter=b+c"' in again.html
    assert (await service.get(path, sec_fetch_site="same-origin")).path.startswith(SIGN_IN)
    await service.sign_in()
    assert (
        await service.get(path, sec_fetch_site="same-origin")
    ).path == "/console?meter=a&meter=b c"


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/console",
        "/console\\..\\..\\evil",
        "/consolevil",
        "/console/\r\nSet-Cookie: a=b",
        "/console/\0",
        "/console@evil.example",
        "javascript:alert(1)",
        "",
    ],
)
async def test_nobody_is_led_elsewhere(service: Service, back: str) -> None:
    """Where one goes on after signing in is a path of the console, or it is the overview."""
    asked = await service.get(f"{SIGN_IN}?back={quote(back)}")
    assert asked.status != HTTPStatus.OK or 'name="back" value="/console"' in asked.html
    shown = await service.get(SIGN_IN)
    form = {"form_token": shown.form_token, "token": await service.token(), "back": back}

    async with service.client.post(
        SIGN_IN, data=form, headers=OURS, allow_redirects=False
    ) as answer:
        assert answer.status == HTTPStatus.SEE_OTHER
        assert answer.headers["Location"] == "/console"


# What is not there, and what goes wrong.


async def test_nothing_there(service: Service) -> None:
    """Who has signed in still sees where they can go, and how to leave."""
    await service.sign_in()

    lost = await service.get("/console/nothing")

    assert lost.status == HTTPStatus.NOT_FOUND
    assert "There is nothing here" in lost.text
    assert 'href="/console/bills"' in lost.html
    assert "Sign out" in lost.text


async def test_nothing_there_in_development(open_service: Service) -> None:
    """Where nobody signs in everybody sees where to go, and nothing to sign out of."""
    lost = await open_service.get("/console/nothing")

    assert 'href="/console/bills"' in lost.html
    assert "Sign out" not in lost.text


async def test_another_method(service: Service) -> None:
    """What a page does not answer says what it does."""
    async with service.client.post("/console", headers=OURS) as answer:
        assert answer.status == HTTPStatus.METHOD_NOT_ALLOWED
        assert answer.headers["Allow"] == "GET,HEAD"
        assert "This cannot be answered" in await answer.text()


async def test_without_a_scope(service: Service) -> None:
    """Whose token is for something else sees a page that says so, and may leave."""
    answer = await service.post(SIGN_IN, {"token": await service.token("preview")})

    assert answer.status in (HTTPStatus.OK, HTTPStatus.FORBIDDEN)
    assert "Sign out" in answer.text
    assert "/console/bills" not in answer.html


async def test_an_error_in_portuguese(service: Service) -> None:
    """All is said in the language of the page; what the API says is a click away, as English."""
    lost = await service.get("/console/nothing", accept_language="pt-BR")

    assert "Não há nada aqui" in lost.text
    assert '<html lang="pt-BR">' in lost.html
    assert "Isto não existe, ou foi apagado" in lost.text
    assert re.search(r'<span lang="en">There is no such path', lost.html)


async def test_the_database_is_away(service: Service) -> None:
    """A page says that it cannot be shown, and no host; what is public is there all the same."""
    await service.sign_in()
    await service.pool.close()

    page = await service.get("/console")

    assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "The service cannot answer now" in page.text
    assert not re.search(r"host|port 5432|socket", page.html)
    for path in ("/openapi.json", SIGN_IN, "/health/live"):
        assert (await service.get(path)).status == HTTPStatus.OK


async def test_too_fast(pool: Pool, serving: Serving) -> None:
    """Who tries tokens is held to the rate of callers, by address; files are not counted."""
    async with serve(serving, pool, rate=Rate(requests=0.01, burst=300)) as service:
        form = {"token": "nonsense"}
        tries = [await service.post(SIGN_IN, form) for _ in range(4)]
        style = re.search(r'href="(/console/static/[^"]*)"', tries[0].html)
        assert style is not None

        assert [one.status for one in tries] == [422, 422, 422, 429]
        assert "Wait a moment, and try again" in tries[3].text
        assert int(tries[3].headers["Retry-After"]) > 60
        assert (await service.get(style[1])).status == HTTPStatus.OK


async def test_pages_are_counted(pool: Pool, serving: Serving) -> None:
    """A page counts as a request of its caller, as what it shows would."""
    rate, auth = Rate(requests=0.01, burst=200), Auth(required=True)
    async with serve(serving, pool, rate=rate, auth=auth) as service:
        await service.sign_in()
        statuses = [(await service.get("/console")).status for _ in range(3)]

    assert statuses == [200, 429, 429]


def test_every_change_is_looked_at() -> None:
    """There are forms, and they are all below the console."""
    assert {SIGN_IN, "/console/sign-out"} <= set(CHANGES)
    assert all(path.startswith("/console/") for path in CHANGES)
