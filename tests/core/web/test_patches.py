"""Changes of a document by its members (RFC 7396)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.web.patches import merged
from energia_plugins import tariff_flat
from tests.core.web.test_conditions import CHANNEL, SITE
from tests.serving import Client, Serving, make_core

PATCH = {"Content-Type": "application/merge-patch+json"}
METER = {"site": "home", "channels": [CHANNEL], "name": "Kitchen", "serial": "A-1"}
RATE = {"kind": "energy.flat", "code": "energy", "rate": {"parameter": "rate"}}
TARIFF: dict[str, Any] = {
    "name": "Flat",
    "currency": "BRL",
    "timezone": "America/Sao_Paulo",
    "versions": [{"valid_from": "2026-01-01", "charges": [RATE]}],
}
CONTRACT = {"meter": "m", "tariff": "t", "start": "2026-03-01", "parameters": {"rate": "0.50"}}

JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve a site, a meter, a tariff and a contract."""
    core = make_core(pool=pool, plugins=Plugins.of(flat=tariff_flat))
    async with serving(core) as client:
        for path, body in (
            ("sites/home", SITE),
            ("meters/m", METER),
            ("tariffs/t", TARIFF),
            ("contracts/c", CONTRACT),
        ):
            made = await client.put(f"/v1/{path}", json=body)
            assert made.status == 201, await made.text()
        yield client


async def changed(api: Client, path: str, patch: object, status: int = 200) -> Any:
    """Return the answer to a patch."""
    async with api.patch(path, json=patch, headers=PATCH) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


@pytest.mark.parametrize(
    ("path", "patch"),
    [
        ("/v1/sites/home", {"name": "Casa"}),
        ("/v1/meters/m", {"serial": "A-2"}),
        ("/v1/tariffs/t", {"name": "Renamed"}),
        ("/v1/contracts/c", {"end": "2027-01-01"}),
    ],
)
async def test_what_is_not_named_stays(api: Client, path: str, patch: dict[str, str]) -> None:
    """The answer, and what is read after it, is the document with the change and no other one."""
    before = await (await api.get(path)).json()
    answer = await changed(api, path, patch)
    async with api.get(path) as read:
        after, tag = await read.json(), read.headers["ETag"]
    async with api.patch(path, json={}, headers=PATCH) as nothing:
        assert nothing.headers["ETag"] == tag

    assert answer == after == before | patch


async def test_null_takes_away(api: Client) -> None:
    """A member that is null goes; one that is needed is missing then, and the patch is refused."""
    found = await changed(api, "/v1/meters/m", {"name": None})
    refused = await changed(api, "/v1/sites/home", {"timezone": None, "nmae": "x"}, 422)

    assert "name" not in found
    faults = {(fault["pointer"], fault["code"]) for fault in refused["errors"]}
    assert faults == {("/timezone", "missing_field"), ("/nmae", "unknown_field")}


async def test_parameters_change_by_their_names(api: Client) -> None:
    """Those that are not named stay as the client wrote them, to the last digit."""
    await api.put("/v1/contracts/c", json=CONTRACT | {"parameters": {"rate": 0.10}})
    before = await (await api.get("/v1/contracts/c")).json()
    await changed(api, "/v1/contracts/c", {"parameters": {}, "end": "2026-09-01"})
    after = await (await api.get("/v1/contracts/c")).json()

    assert after == before | {"end": "2026-09-01"}


@pytest.mark.parametrize(
    ("path", "patch", "pointer"),
    [
        ("/v1/sites/home", {"timezone": "Mars/Base"}, "/timezone"),
        ("/v1/meters/m", {"site": "nowhere"}, "/site"),
        ("/v1/meters/m", {"channels": [{"id": "import"}]}, "/channels/0/quantity"),
        ("/v1/contracts/c", {"end": "2026-01-01"}, "/end"),
        ("/v1/contracts/c", {"id": "d"}, "/id"),
        ("/v1/contracts/c", {"parameters": {"rate": None}}, "/parameters/rate"),
    ],
)
async def test_the_whole_must_fit(api: Client, path: str, patch: object, pointer: str) -> None:
    """A patch is held to all that a `PUT` is held to, and its faults point to where they are."""
    before = await (await api.get(path)).json()
    refused = await changed(api, path, patch, 422)

    assert pointer in {fault["pointer"] for fault in refused["errors"]}
    assert await (await api.get(path)).json() == before


@pytest.mark.parametrize("patch", [[], "x", 1])
async def test_a_patch_is_an_object(api: Client, patch: object) -> None:
    """Anything else would replace the whole: that is what `PUT` is for."""
    refused = await changed(api, "/v1/sites/home", patch, 422)

    assert refused["errors"][0]["code"] == "wrong_type"


async def test_nothing_there(api: Client) -> None:
    """There is nothing to change of what is not there."""
    await changed(api, "/v1/sites/none", {"name": "x"}, 404)


@pytest.mark.parametrize("type_", ["application/json", "application/json-patch+json"])
async def test_another_kind_of_patch(api: Client, type_: str) -> None:
    """It is refused, and the answer says which kind is understood."""
    async with api.patch("/v1/sites/home", json={}, headers={"Content-Type": type_}) as answer:
        assert answer.status == 415
        assert answer.headers["Accept-Patch"] == "application/merge-patch+json"


@given(JSON, JSON)
def test_a_patch_twice_is_a_patch_once(target: object, patch: object) -> None:
    """What a patch has done it does not do again."""
    once = merged(target, patch)

    assert merged(once, patch) == once


@given(st.dictionaries(st.sampled_from("abc"), JSON), st.dictionaries(st.sampled_from("abc"), JSON))
def test_only_what_is_named(target: dict[str, object], patch: dict[str, object]) -> None:
    """Other members stay, null takes a member away, and no null comes in by a patch's object."""
    found = merged(target, patch)

    assert isinstance(found, dict)
    assert {k: v for k, v in found.items() if k not in patch} == {
        k: v for k, v in target.items() if k not in patch
    }
    assert not [name for name, value in patch.items() if value is None and name in found]
