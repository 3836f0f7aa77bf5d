"""Costs and prices by price series over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import tariff_dynamic, tariff_flat
from tests.core.pricing.asking import FLAT, answer_of, pointers
from tests.core.pricing.documents import document
from tests.core.pricing.test_http_price_series import DAY, HOURS, START, stored, success
from tests.serving import Client, Serving, make_core

SPOT = {"kind": "energy.dynamic", "series": "spot", "adder": "0.01"}
TARIFF = document([FLAT, SPOT], "Europe/Madrid", "EUR")


@pytest.fixture
async def client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with two charges and a fresh database."""
    plugins = Plugins.of(tariff_dynamic=tariff_dynamic, tariff_flat=tariff_flat)
    async with serving(make_core(plugins=plugins, pool=pool)) as client:
        yield client


def cost(**more: Any) -> dict[str, Any]:
    """Return the request of three hours of 1 kWh."""
    usage = {"start": START, "values": [1, 1, 1]}
    return {
        "usage": {"timezone": "Europe/Madrid", "interval": "PT1H", "channels": {"import": usage}},
        "tariff": document([SPOT], "Europe/Madrid", "EUR"),
        **more,
    }


async def test_costs_read_stored_prices(client: Client) -> None:
    """0.0612 + 0.05894 - 0.00001, and a cent for each kilowatt-hour."""
    first = await stored(client, HOURS)

    found = await success(client, "POST", "/v1/costs", cost())

    assert (found["total"], found["lines"][0]["exact"]) == ("0.15", "0.15013")
    assert list(found["inputs"]["prices_revision_at"]) == ["spot"]
    assert first["revision_at"] is not None


async def test_prices_may_come_with_the_request(alone_with_dynamic: Client) -> None:
    """Then no database is needed, whichever form they have."""
    columns = {"spot": {"start": START, "interval": "PT1H", "values": ["0.1", "0.2", "0.3"]}}
    one = {"start": START, "end": "2026-03-02T03:00:00+01:00", "price": "0.2"}

    by_columns = await success(alone_with_dynamic, "POST", "/v1/costs", cost(prices=columns))
    by_list = await success(alone_with_dynamic, "POST", "/v1/costs", cost(prices={"spot": [one]}))

    assert (by_columns["total"], by_list["total"]) == ("0.63", "0.63")


@pytest.fixture
async def alone_with_dynamic(serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service whose database is away."""
    plugins = Plugins.of(tariff_dynamic=tariff_dynamic)
    async with serving(make_core(plugins=plugins)) as client:
        yield client


async def test_prices_that_nothing_needs_are_refused(alone_with_dynamic: Client) -> None:
    """A misspelt name does not go unnoticed."""
    prices = {"spto": {"start": START, "interval": "PT1H", "values": ["0.1"]}}

    status, problem = await answer_of(alone_with_dynamic, "POST", "/v1/costs", cost(prices=prices))

    assert (status, pointers(problem)) == (422, {"/prices/spto": "unknown_price_series"})


async def test_duplicates_in_a_request_are_refused(alone_with_dynamic: Client) -> None:
    """They point to the second price."""
    one = {"start": START, "end": "2026-03-02T03:00:00+01:00", "price": "0.2"}
    prices = {"spot": [one, {**one, "price": "0.3"}]}

    status, problem = await answer_of(alone_with_dynamic, "POST", "/v1/costs", cost(prices=prices))

    assert (status, pointers(problem)) == (422, {"/prices/spot/1": "duplicate_price"})


async def test_missing_prices_of_a_cost_are_named(client: Client) -> None:
    """422 `incomplete_prices`: the hour without one."""
    await stored(client, {**HOURS, "values": ["61.20", None, "1"]})

    status, problem = await answer_of(client, "POST", "/v1/costs", cost())

    assert (status, problem["code"]) == (422, "incomplete_prices")
    assert [one["code"] for one in problem["errors"]] == ["missing_price"]
    assert (
        "2026-03-02T01:00:00+01:00 to 2026-03-02T02:00:00+01:00"
        in (problem["errors"][0]["message"])
    )


async def test_prices_of_a_tariff_are_told_slot_by_slot(client: Client) -> None:
    """By component, in slots of the series, up to the horizon, which is told."""
    await stored(client, HOURS)
    await success(client, "PUT", "/v1/tariffs/t", TARIFF)

    found = await success(client, "GET", f"/v1/tariffs/t/prices?{DAY}")

    assert [(one["price"], one["components"]["energy.dynamic"]) for one in found["data"]] == [
        ("0.3712", "0.0712"),
        ("0.36894", "0.06894"),
        ("0.30999", "0.00999"),
    ]
    assert found["data"][0]["components"]["energy.flat"] == "0.30"
    assert [(one["code"], one["slots"]) for one in found["assumptions"]] == [("beyond_horizon", 21)]
    assert "2026-03-02T03:00:00+01:00" in found["assumptions"][0]["message"]


async def test_nothing_is_told_beyond_the_horizon(client: Client) -> None:
    """The day after has no price yet, and no invented one."""
    await stored(client, HOURS)
    await success(client, "PUT", "/v1/tariffs/t", TARIFF)

    found = await success(client, "GET", "/v1/tariffs/t/prices?start=2026-03-03&end=2026-03-04")

    assert found["data"] == []
    assert [one["slots"] for one in found["assumptions"]] == [24]


async def test_a_gap_before_the_horizon_is_refused(client: Client) -> None:
    """Known prices around it make it no horizon."""
    await stored(client, {**HOURS, "values": ["1", None, "1"]})
    await success(client, "PUT", "/v1/tariffs/t", TARIFF)

    status, problem = await answer_of(client, "GET", f"/v1/tariffs/t/prices?{DAY}")

    assert (status, [one["code"] for one in problem["errors"]]) == (422, ["missing_price"])


async def test_the_resolution_is_that_of_the_prices(client: Client) -> None:
    """Quarters by default; an hour when asked for has their mean."""
    quarters = {"start": START, "interval": "PT15M", "values": ["10", "20", "30", "41"]}
    await stored(client, quarters)
    await success(client, "PUT", "/v1/tariffs/t", TARIFF)
    window = "start=2026-03-02T00:00:00%2B01:00&end=2026-03-02T01:00:00%2B01:00"

    fine = await success(client, "GET", f"/v1/tariffs/t/prices?{window}")
    coarse = await success(client, "GET", f"/v1/tariffs/t/prices?{window}&resolution=PT1H")

    assert len(fine["data"]) == 4
    assert [one["components"]["energy.dynamic"] for one in coarse["data"]] == ["0.03525"]


async def test_a_series_that_is_not_there_has_no_prices(client: Client) -> None:
    """The tariff was saved before its series: 422."""
    await success(client, "PUT", "/v1/tariffs/t", TARIFF)

    status, problem = await answer_of(client, "GET", f"/v1/tariffs/t/prices?{DAY}")

    assert (status, [one["code"] for one in problem["errors"]]) == (422, ["unknown_price_series"])
