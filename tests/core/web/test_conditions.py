"""Entity tags, and requests that are carried out only if these are what the client has seen."""

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
from yarl import URL

from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.metering import registry
from energia.metering.models import NewSite
from tests.serving import Client, Serving, make_core

SITE = {"name": "Home", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
CHANNEL = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "interval": "PT15M",
}
HOME = "/v1/sites/home"


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve a site."""
    async with serving(make_core(pool=pool)) as client:
        assert (await client.put(HOME, json=SITE)).status == 201
        yield client


async def tag_of(api: Client, path: str = HOME, **headers: str) -> str:
    """Return the entity tag of what a path names."""
    async with api.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return answer.headers["ETag"]


async def status(api: Client, method: str, url: str = HOME, **request: Any) -> tuple[int, str]:
    """Return the status of an answer, and the code of its problem."""
    async with api.request(method, url, **request) as answer:
        is_problem = answer.content_type == "application/problem+json"
        return answer.status, (await answer.json())["code"] if is_problem else ""


async def test_a_tag_names_what_there_is(api: Client) -> None:
    """It is strong, stays while nothing changes, and changes with any change and back with it."""
    first = await tag_of(api)
    again = await tag_of(api)
    await api.put(HOME, json=SITE | {"name": "Casa"})
    other = await tag_of(api)
    await api.put(HOME, json=SITE)

    assert (first[0], first[-1]) == ('"', '"')
    assert again == first != other
    assert await tag_of(api) == first


@pytest.mark.parametrize("path", [HOME, "/v1/sites", "/v1/plugins", "/v1/meters"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_the_client_has_is_not_sent_again(api: Client, path: str, method: str) -> None:
    """A resource and a list are answered by 304, without a body and with the tag."""
    tag = await tag_of(api, path)
    async with api.request(method, path, headers={"If-None-Match": f'"other", {tag}'}) as same:
        assert (same.status, same.headers["ETag"], await same.read()) == (304, tag, b"")
        assert same.headers["Cache-Control"] == "no-store"
        assert "Content-Type" not in same.headers
    async with api.request(method, path, headers={"If-None-Match": '"other"'}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("prefix", ["", "W/"])
async def test_a_weak_tag_is_as_good_for_reading(api: Client, prefix: str) -> None:
    """A cache that has made the tag weak still has the same."""
    known = {"If-None-Match": prefix + await tag_of(api)}

    assert await status(api, "GET", headers=known) == (304, "")


async def test_what_is_compressed_is_another_representation(api: Client) -> None:
    """Its tag is another one; either stands for the same in a condition, and is answered alike."""
    for number in range(12):
        await api.put(f"/v1/sites/s{number}", json=SITE)
    plain = await tag_of(api, "/v1/sites", **{"Accept-Encoding": "identity"})
    session = aiohttp.ClientSession(auto_decompress=False)
    async with session, session.get(api.make_url("/v1/sites")) as answer:
        packed = answer.headers["ETag"]
        assert answer.headers["Content-Encoding"] == "gzip"
        assert len(gzip.decompress(await answer.read())) > 1024
    async with api.get("/v1/sites", headers={"If-None-Match": plain}) as same:
        assert (same.status, same.headers["ETag"]) == (304, packed)
        assert "Accept-Encoding" in same.headers["Vary"]

    assert packed == plain[:-1] + '-gzip"'


async def test_media_types_differ(api: Client) -> None:
    """What is a file is sent while it is made, without a tag; as JSON it has one."""
    meter = {"site": "home", "channels": [CHANNEL]}
    await api.put("/v1/meters/m", json=meter)
    path = "/v1/meters/m/usage?start=2026-03-01&end=2026-03-03"
    async with api.get(path, headers={"Accept": "text/csv"}) as file:
        assert (file.status, "ETag" in file.headers) == (200, False)

    assert await tag_of(api, path)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_nothing_is_written_over_that_was_not_seen(api: Client, method: str) -> None:
    """Once somebody else has written, the tag is an old one: 412, and nothing is done."""
    tag = await tag_of(api)
    await api.put(HOME, json=SITE | {"name": "Theirs"})
    body: dict[str, Any] = {} if method == "DELETE" else {"json": SITE | {"name": "Mine"}}
    headers = {"If-Match": tag}
    if method == "PATCH":
        headers["Content-Type"] = "application/merge-patch+json"
    refused = await status(api, method, headers=headers, **body)
    async with api.get(HOME) as answer:
        assert (await answer.json())["name"] == "Theirs"
    seen = headers | {"If-Match": await tag_of(api)}

    assert refused == (412, "precondition_failed")
    assert (await status(api, method, headers=seen, **body))[0] in (200, 204)


async def test_a_compressed_tag_is_as_good_for_writing(api: Client) -> None:
    """What was read compressed is what is written over; a weak tag says less, and is refused."""
    tag = await tag_of(api)

    for given, expected in ((f"W/{tag}", 412), (tag[:-1] + '-gzip"', 200)):
        found, _ = await status(api, "PUT", json=SITE, headers={"If-Match": given})
        assert found == expected


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        (HOME, {"If-Match": "*"}, 200),
        ("/v1/sites/new", {"If-Match": "*"}, 412),
        ("/v1/sites/new", {"If-Match": '"some"'}, 412),
        (HOME, {"If-None-Match": "*"}, 412),
        ("/v1/sites/new", {"If-None-Match": "*"}, 201),
        (HOME, {"If-None-Match": '"some"'}, 200),
        (HOME, {"If-Match": "not a tag"}, 412),
        (HOME, {"If-None-Match": "not a tag"}, 412),
    ],
)
async def test_conditions(
    api: Client, path: str, headers: Mapping[str, str], expected: int
) -> None:
    """`If-Match: *` only replaces, and `If-None-Match: *` only makes."""
    found, code = await status(api, "PUT", path, json=SITE, headers=headers)

    assert (found, code) == (expected, "precondition_failed" if expected == 412 else "")


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
async def test_a_tag_without_its_quotes_is_told_as_such(api: Client, header: str) -> None:
    """The quotes belong to the tag: who leaves them out is told so, and nothing is written."""
    tag = await tag_of(api)
    async with api.put(HOME, json=SITE, headers={header: tag.strip('"')}) as answer:
        problem = await answer.json()

    assert answer.status == 412
    assert problem["detail"] == (
        f"{header} has no entity tag, which is written with its quotes, such as {tag}"
    )


async def test_a_condition_that_means_nothing_is_not_left_out(api: Client) -> None:
    """Where nothing has a tag a condition on it is not met: it is not as if there were none."""
    await api.put("/v1/meters/m", json={"site": "home", "channels": [CHANNEL]})
    params = {"before": "2020-01-01", "reason": "request 17"}
    path, headers = "/v1/meters/m/readings", {"If-Match": '"some"'}

    assert (await status(api, "DELETE", path, params=params, headers=headers))[0] == 412


async def test_of_two_who_have_seen_the_same_one_writes(api: Client) -> None:
    """However many write at once by one tag, one of them does; each round again."""
    for turn in range(5):
        tag = {"If-Match": await tag_of(api)}
        names = [f"writer {turn}.{number}" for number in range(8)]
        answers = await asyncio.gather(
            *(status(api, "PUT", json=SITE | {"name": name}, headers=tag) for name in names)
        )
        assert Counter(code for code, _ in answers) == {200: 1, 412: 7}
        async with api.get(HOME) as answer:
            assert (await answer.json())["name"] == names[answers.index((200, ""))]


async def test_of_two_who_make_one_does(api: Client) -> None:
    """However many make the same at once by `If-None-Match: *`, one of them does."""
    for number in range(5):
        path, only = f"/v1/sites/new{number}", {"If-None-Match": "*"}
        answers = await asyncio.gather(
            *(status(api, "PUT", path, json=SITE, headers=only) for _ in range(8))
        )
        assert Counter(code for code, _ in answers) == {201: 1, 412: 7}


async def test_nobody_comes_in_between(api: Client, tenant: Tenant) -> None:
    """Who writes without a condition, and not even over HTTP, waits or is noticed."""
    tag, theirs = await tag_of(api), NewSite("Theirs", "UTC", "GB", "GBP")

    async with tenant.transaction() as queries:
        await registry.put_site(queries, "home", theirs)
        mine = asyncio.create_task(status(api, "PUT", json=SITE, headers={"If-Match": tag}))
        await waiting(tenant)
    found = await mine

    assert found == (412, "precondition_failed")
    assert (await registry.site(tenant, "home")).name == "Theirs"


async def waiting(tenant: Tenant) -> None:
    """Wait until some statement waits for a lock."""
    sql = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    while await tenant.fetch(int, sql) == [0]:
        await asyncio.sleep(0.01)


async def test_the_next_page(api: Client) -> None:
    """`Link` leads to the next page with the rest of the query, as `next` does; the last has no."""
    for number in range(3):
        await api.put(f"/v1/sites/s{number}", json=SITE)
    async with api.get("/v1/sites?limit=2") as first:
        page, link = await first.json(), URL(str(first.links["next"]["url"]))
    async with api.get(link.path_qs) as last:
        sites = [site["id"] for site in (*page["items"], *(await last.json())["items"])]
        assert not last.links

    assert link == api.make_url(f"/v1/sites?limit=2&cursor={page['next']}")
    assert sites == ["home", "s0", "s1", "s2"]
