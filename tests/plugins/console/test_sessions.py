"""Sessions: what a cookie is worth, for how long, and what the database and the log have of it."""

from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import Any

import attrs
import pytest
from aiohttp import ClientSession, CookieJar, web
from hypothesis import given
from hypothesis import strategies as st

from energia.access import tokens
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Auth, Server, Settings
from energia.web.app import create_app
from energia.web.lifecycle import running
from energia_plugins.console.sessions import Ticket
from tests.plugins.console.service import Service, serve
from tests.serving import LOOPBACK, Serving, make_core

SIGN_IN = "/console/sign-in"


def cookie(service: Service) -> dict[str, str]:
    """Return the session of a browser as whoever has stolen it sends it."""
    found = service.client.session.cookie_jar.filter_cookies(service.client.make_url("/"))
    return {"Cookie": f"energia-console={found['energia-console'].value}"}


async def opens(service: Service, stolen: dict[str, str]) -> bool:
    """Tell whether a cookie opens the console, without a browser."""
    async with (
        ClientSession(service.url, cookie_jar=CookieJar(unsafe=True)) as session,
        session.get("/console", headers=stolen, allow_redirects=False) as answer,
    ):
        return answer.status == HTTPStatus.OK


async def rows(service: Service, columns: str) -> list[Any]:
    """Return what the table of sessions has."""
    return await service.pool.tenant().fetch(str, f"select {columns} from console_session")


async def test_what_a_browser_keeps(service: Service) -> None:
    """No script reads the cookie, no other site sends it, and it goes with the session."""
    form = {"form_token": (await service.get(SIGN_IN)).form_token, "token": await service.token()}
    ours = {"Origin": service.url}
    async with service.client.post(SIGN_IN, data=form, headers=ours, allow_redirects=False) as got:
        (kept,) = SimpleCookie(got.headers["Set-Cookie"]).values()

    assert kept.key == "energia-console"
    assert (kept["httponly"], kept["samesite"], kept["path"]) == (True, "Strict", "/")
    assert (kept["secure"], kept["domain"], kept["max-age"]) == ("", "", "43200")
    assert got.headers["Cache-Control"] == "no-store"


async def test_over_https(pool: Pool) -> None:
    """No other host can set the cookie, and no plain connection carries it."""
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "energia.example"}
    server = Server(trusted_proxies=("127.0.0.0/8",))
    settings = attrs.evolve(Settings(), auth=Auth(required=True), server=server, outgoing=LOOPBACK)
    core = make_core(plugins=Plugins.installed(), pool=pool, settings=settings)
    async with running(create_app(core), shutdown_timeout=1) as runner:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession(url) as session, session.get(SIGN_IN, headers=said) as answer:
            (kept,) = SimpleCookie(answer.headers["Set-Cookie"]).values()

    assert kept.key == "__Host-energia-form"
    assert (kept["secure"], kept["path"], kept["domain"]) == (True, "/", "")


async def test_what_the_database_has(service: Service) -> None:
    """A session's row has the token so that only its own cookie opens it."""
    token = await service.token()
    await service.sign_in(token=token)
    ticket = Ticket.read(cookie(service)["Cookie"].partition("=")[2])
    assert ticket is not None

    (row,) = await rows(service, "console_session::text")
    (sealed,) = await rows(service, "sealed")

    assert token not in row
    assert token.rpartition("_")[2] not in row
    assert ticket.text.partition(".")[2] not in row
    assert ticket.opened(sealed) == token
    assert Ticket.new(1).opened(sealed) is None


async def test_a_session_ends_when_it_is_not_used(service: Service) -> None:
    """After an hour without a page one signs in anew; a page in between prolongs it."""
    await service.sign_in()
    stolen, tenant = cookie(service), service.pool.tenant()
    age = "update console_session set seen_at = seen_at - make_interval(mins => %s)"

    await tenant.execute(age, 59)
    assert await opens(service, stolen)
    await tenant.execute(age, 59)
    assert await opens(service, stolen)
    await tenant.execute(age, 60)
    assert not await opens(service, stolen)


async def test_a_session_ends_after_its_time(service: Service) -> None:
    """After twelve hours one signs in anew, however busy one was; what has expired goes then."""
    await service.sign_in()
    stolen, tenant = cookie(service), service.pool.tenant()

    await tenant.execute("update console_session set signed_in_at = now() - interval '12 hours'")

    assert not await opens(service, stolen)
    assert (await service.get("/console")).path.startswith(SIGN_IN)
    await service.sign_in()
    assert len(await rows(service, "id")) == 1


async def test_signing_out(service: Service) -> None:
    """A cookie that was stolen is worth nothing once its owner has signed out."""
    await service.sign_in()
    stolen = cookie(service)
    assert await opens(service, stolen)

    left = await service.post("/console/sign-out", {})

    assert left.path == SIGN_IN
    assert not await opens(service, stolen)
    assert await rows(service, "id") == []


async def test_signing_in_anew(service: Service) -> None:
    """Ends the session that there was."""
    await service.sign_in()
    former = cookie(service)
    await service.sign_in("readings:read")

    assert not await opens(service, former)
    assert await opens(service, cookie(service))


async def test_a_revoked_token(pool: Pool, serving: Serving) -> None:
    """Ends the sessions that were begun with it; one can still sign out, and in anew."""
    async with serve(serving, pool, auth=Auth(required=True, cache=0)) as service:
        token = await service.token()
        await service.sign_in(token=token)
        secret = tokens.Secret.of(token)
        assert secret is not None
        await tokens.revoke(pool.tenant(), secret.prefix)

        assert (await service.get("/console")).path.startswith(SIGN_IN)
        assert (await service.post("/console/sign-out", {})).path == SIGN_IN
        assert await rows(service, "id") == []
        assert (await service.post(SIGN_IN, {"token": token})).status == 422
        assert (await service.sign_in()).path == "/console"


async def test_another_organization(service: Service) -> None:
    """A session is of its organization: a cookie that names another one opens nothing."""
    await service.pool.everywhere().execute("insert into organization (name) values ('other')")
    await service.sign_in(token=await service.token(organization=2))
    stolen = cookie(service)

    assert await opens(service, stolen)
    assert not await opens(service, {"Cookie": stolen["Cookie"].replace("=2.", "=1.")})
    assert await rows(service, "id") == []


async def test_what_the_audit_log_has(service: Service) -> None:
    """Who signs in and out, and never the token; that a session is used is no change."""
    token = await service.token()
    await service.sign_in(token=token)
    age = "update console_session set seen_at = seen_at - interval '5 minutes'"
    await service.pool.tenant().execute(age)
    await service.get("/console")
    await service.post("/console/sign-out", {})

    async with service.client.get(
        "/v1/audit?resource=session", headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        text, found = await answer.text(), (await answer.json())["items"]

    assert [(one["action"], one["caller_name"]) for one in found] == [
        ("delete", "Ana"),
        ("create", "Ana"),
    ]
    assert {one["caller"] for one in found} == {found[0]["before"]["caller"]}
    assert "sealed" not in text or '"sealed":null' in text.replace(" ", "")
    assert token.rpartition("_")[2] not in text


@given(st.text(max_size=80) | st.from_regex(r"[0-9]{1,12}\.[\w-]{40,44}=?", fullmatch=True))
def test_a_cookie_that_is_none_of_ours(text: str) -> None:
    """Whatever a cookie says, it is a ticket or it is none."""
    found = Ticket.read(text)

    assert found is None or Ticket.read(found.text) == found


@pytest.mark.parametrize("text", ["", ".", "1", "1.", "-1.x", "1.!!!", "²." + "A" * 43, "1.é"])
async def test_a_cookie_of_nonsense(service: Service, text: str) -> None:
    """Opens nothing, and breaks nothing."""
    assert not await opens(service, {"Cookie": f"energia-console={text}"})


def test_a_ticket_is_read_as_it_was_written() -> None:
    """Its id tells nothing of what opens the session."""
    ticket = Ticket.new(7)

    assert Ticket.read(ticket.text) == ticket
    assert ticket.secret.hex()[:8] not in ticket.id
