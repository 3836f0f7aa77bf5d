"""Lists of what belongs to something: by site, meter or tariff."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.metering.imports import list_imports_of
from energia.plugins import Plugins
from energia_plugins import tariff_flat
from tests.core.metering.setting import series
from tests.core.web.test_conditions import CHANNEL, SITE
from tests.core.web.test_patches import TARIFF
from tests.serving import Client, Serving, make_core

FIXED = {
    **TARIFF,
    "versions": [{"valid_from": "2026-01-01", "charges": [{"kind": "energy.flat", "rate": "1"}]}],
}


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve two sites with two meters each, and a contract of each meter, of two tariffs."""
    core = make_core(pool=pool, plugins=Plugins.of(flat=tariff_flat))
    async with serving(core) as client:
        for tariff in "tu":
            await put(client, f"tariffs/{tariff}", FIXED)
        for site in ("home", "work"):
            await put(client, f"sites/{site}", SITE)
            for tariff in "tu":
                meter = f"{site}-{tariff}"
                await put(client, f"meters/{meter}", {"site": site, "channels": [CHANNEL]})
                contract = {"meter": meter, "tariff": tariff, "start": "2026-03-01"}
                await put(client, f"contracts/c-{meter}", contract)
        yield client


async def put(api: Client, path: str, body: object) -> None:
    """Make something."""
    async with api.put(f"/v1/{path}", json=body) as answer:
        assert answer.status == 201, await answer.text()


async def listed(api: Client, path: str, name: str = "id") -> list[Any]:
    """Return the ids of what a list has, page by page of two."""
    ids, cursor = [], ""
    while True:
        query = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        async with api.get(path, params=query) as answer:
            assert answer.status == 200, await answer.text()
            page = await answer.json()
        ids += [item[name] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return ids


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("/v1/meters?site=home", ["home-t", "home-u"]),
        ("/v1/meters?site=none", []),
        ("/v1/contracts?tariff=t", ["c-home-t", "c-work-t"]),
        ("/v1/contracts?meter=work-u", ["c-work-u"]),
        ("/v1/contracts?meter=work-u&tariff=t", []),
        ("/v1/contracts?tariff=none", []),
    ],
)
async def test_what_belongs_together(api: Client, path: str, ids: list[str]) -> None:
    """Each page is of what is asked for; of what is not there, there is nothing."""
    assert await listed(api, path) == ids


async def test_imports_of_a_meter(api: Client, tenant: Tenant) -> None:
    """Those that name it, the newest first; a page looks at so many of all, and goes on after."""
    made: dict[str, list[str]] = {"home-t": [], "home-u": []}
    for number, meter in enumerate(["home-t", "home-u", "home-u", "home-t", "home-u"]):
        body = series([number], 1_772_334_000 + 900 * number, meter, "PT15M")
        async with api.post("/v1/readings", json=body) as answer:
            made[meter].insert(0, (await answer.json())["import"])
    first, after = await list_imports_of(tenant, "home-t", None, 10, looked_at=3)
    rest, end = await list_imports_of(tenant, "home-t", after, 10, looked_at=3)

    for meter, ids in made.items():
        assert await listed(api, f"/v1/imports?meter={meter}", "import") == ids
    assert await listed(api, "/v1/imports?meter=none", "import") == []
    assert [[each.import_ for each in page] for page in (first, rest)] == [
        [import_] for import_ in made["home-t"]
    ]
    assert end is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1/meters?sites=home", "there is no such parameter (did you mean 'site'?)"),
        ("/v1/meters?x=1", "there is no such parameter; there are site, search, limit, cursor"),
        (
            "/v1/meters/m/gaps?start=2026-03-01",
            "the parameter is missing: expected an instant such as 2026-03-01T00:00:00-03:00 or a "
            "date such as 2026-03-01",
        ),
        (
            "/v1/meters?site=a/b",
            "must be 1 to 64 of A-Z a-z 0-9 . _ : -",
        ),
        ("/v1/meters?cursor=!", "must be the `next` of a page of this list"),
    ],
)
async def test_what_is_meant(api: Client, path: str, message: str) -> None:
    """A misspelt parameter is told with the nearest one, and a form is told in words."""
    async with api.get(path) as answer:
        problem = await answer.json()

    assert [fault["message"] for fault in problem["errors"]] == [message]


async def test_which_field_is_meant(api: Client) -> None:
    """A misspelt field is told with the nearest one; of very many, the first ones are."""
    async with api.put("/v1/sites/new", json={**SITE, "timezon": "UTC"}) as answer:
        (fault,) = (await answer.json())["errors"]
    many = {f"names{number:03}": "x" for number in range(100)}
    async with api.put("/v1/sites/new", json={**SITE, **many}) as answer:
        problem = await answer.json()

    assert fault["message"] == "there is no such field (did you mean 'timezone'?)"
    suggested = [f for f in problem["errors"] if "did you mean 'name'" in f["message"]]
    assert (problem["error_counts"], len(suggested)) == ({"unknown_field": 100}, 20)
