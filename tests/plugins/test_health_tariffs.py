"""The probe of stored tariffs, and what works beside one that needs a plugin that is gone."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import tariff_demand, tariff_flat
from energia_plugins.health_tariffs import TariffsHealth
from tests.core.billing.setting import (
    CHANNEL,
    FLAT,
    SITE,
    day,
    hours,
    meter,
    refusal,
    success,
    tariff,
)
from tests.core.pricing.asking import answer_of
from tests.plugins.components import component_of
from tests.serving import Client, Serving, make_core

DEMAND = {"kind": "demand", "interval": "PT1H", "rate": "10"}


@pytest.fixture(name="stored")
async def _stored(pool: Pool, serving: Serving) -> None:
    """Store two tariffs and a contract of each, by a service with all that they need."""
    loaded = Plugins.of(tariff_flat=tariff_flat, tariff_demand=tariff_demand)
    async with serving(make_core(plugins=loaded, pool=pool)) as client:
        await success(client, "PUT", "/v1/sites/home", SITE)
        for id_, charges in (("flat", [FLAT]), ("peak", [FLAT, DEMAND])):
            await meter(client, id_, CHANNEL)
            await hours(client, 1, 1, 1, meter=id_)
            await success(client, "PUT", f"/v1/tariffs/{id_}", tariff(*charges))
            body = {"meter": id_, "tariff": id_, "start": "2025-03-01"}
            await success(client, "PUT", f"/v1/contracts/{id_}", body)


@pytest.fixture(name="fewer")
async def _fewer(stored: None, pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service of the same database, without the charge `demand`."""
    loaded = Plugins.of(tariff_flat=tariff_flat, health_tariffs=TariffsHealth)
    async with serving(make_core(plugins=loaded, pool=pool)) as client:
        yield client


async def test_a_tariff_that_cannot_be_read_is_listed(fewer: Client) -> None:
    """It is marked by the kind and the plugin, as it is stored, and hides no other."""
    flat, peak = (await success(fewer, "GET", "/v1/tariffs"))["items"]

    assert (flat["id"], flat.get("unreadable")) == ("flat", None)
    assert (peak["id"], peak["versions"][0]["charges"][1]["kind"]) == ("peak", "demand")
    unreadable = peak["unreadable"]
    assert unreadable["missing"] == [{"kind": "demand", "plugin": "tariff-demand"}]
    assert unreadable["message"] == (
        "the stored tariff 'peak' does not fit the loaded plugins: it needs the charge 'demand' of "
        "the plugin 'tariff-demand' that is not loaded"
    )
    (fault,) = unreadable["errors"]
    assert (fault["pointer"], fault["code"]) == ("/versions/0/charges/1/kind", "unknown_kind")


async def test_what_needs_the_tariff_is_refused_by_its_name(fewer: Client) -> None:
    """The refusal names the tariff, the kind and the plugin."""
    asked = {"meter": "peak", "tariff": "peak", **day(1)}

    for method, path, body in (
        ("GET", "/v1/tariffs/peak", None),
        ("POST", "/v1/costs", asked),
        ("POST", "/v1/bills", {"contract": "peak", **day(1)}),
    ):
        status, problem = await answer_of(fewer, method, path, body)
        assert status == 409
        assert "'peak'" in problem["detail"]
        assert "the charge 'demand' of the plugin 'tariff-demand'" in problem["detail"]


async def test_what_does_not_need_the_tariff_works(fewer: Client) -> None:
    """Contracts are listed, other tariffs price, and a run bills all but the contract of it."""
    contracts = await success(fewer, "GET", "/v1/contracts")
    cost = await success(fewer, "POST", "/v1/costs", {"meter": "peak", "tariff": "flat", **day(1)})
    run = await success(fewer, "POST", "/v1/bills/run", {**day(1), "issue": True})
    bills: list[dict[str, Any]] = (await success(fewer, "GET", "/v1/bills"))["items"]
    affected = await success(fewer, "GET", "/v1/bills?affected=true")

    assert [contract["id"] for contract in contracts["items"]] == ["flat", "peak"]
    assert cost["total"] == "12.00"
    assert (run["issued"], run["failures"]) == (1, 1)
    (failure,) = run["failed"]
    assert failure["contract"] == "peak"
    assert "'tariff-demand'" in failure["message"]
    assert [bill["contract"] for bill in bills] == ["flat"]
    assert affected["items"] == []
    assert await refusal(fewer, "DELETE", "/v1/tariffs/peak") == (409, "in_use", {})


async def test_health_warns(fewer: Client) -> None:
    """The complaint names the tariff, the kind and the plugin."""
    component = await component_of(fewer, "tariffs")

    assert component is not None
    assert (component.status, component.measurement) == ("warn", "missingKinds")
    assert component.output == (
        "'peak': the charge 'demand' of the plugin 'tariff-demand' that is not loaded"
    )


async def test_health_passes_where_nothing_is_missing(
    stored: None, pool: Pool, serving: Serving
) -> None:
    """With all plugins that the tariffs need there is no complaint."""
    loaded = Plugins.of(
        tariff_flat=tariff_flat, tariff_demand=tariff_demand, health_tariffs=TariffsHealth
    )
    async with serving(make_core(plugins=loaded, pool=pool)) as client:
        component = await component_of(client, "tariffs")

    assert component is not None
    assert (component.status, component.output) == ("pass", None)


async def test_a_kind_that_nobody_has_names_no_plugin(
    pool: Pool, serving: Serving, stored: None
) -> None:
    """The plugin of a kind that is not installed is not known."""
    await pool.tenant().execute(
        "update tariff_version set document = replace(document::text, 'demand', 'acme.levy')::json"
    )
    loaded = Plugins.of(tariff_flat=tariff_flat)
    async with serving(make_core(plugins=loaded, pool=pool)) as client:
        _, peak = (await success(client, "GET", "/v1/tariffs"))["items"]

    assert peak["unreadable"]["missing"] == [{"kind": "acme.levy", "plugin": None}]
    assert "'acme.levy' of a plugin that is not loaded" in peak["unreadable"]["message"]
