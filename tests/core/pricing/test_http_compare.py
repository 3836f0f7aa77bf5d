"""Comparisons over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.plugins import Plugins
from energia_plugins import tariff_demand, tariff_flat
from tests.core.pricing.asking import BODY, FLAT, answer_of, pointers
from tests.core.pricing.documents import document
from tests.core.pricing.test_http_costs import USAGE
from tests.serving import Client, Serving, make_core


async def test_tariffs_are_compared(client: Client) -> None:
    """Stored and inline tariffs are ranked together; those that are unknown are all named."""
    await answer_of(
        client, "PUT", "/v1/tariffs/dear", document([FLAT | {"rate": "3"}], currency="BRL")
    )
    path, body = "/v1/costs/compare", {"usage": USAGE, "tariffs": ["dear", BODY]}

    status, found = await answer_of(client, "POST", path, body)
    refused, problem = await answer_of(client, "POST", path, body | {"tariffs": ["x", "dear", "y"]})

    assert status == 200
    keys = ("tariff", "total", "difference", "difference_percent")
    assert [tuple(one[key] for key in keys) for one in found["ranking"]] == [
        ("test", "0.53", "-4.72", "-89.9"),
        ("dear", "5.25", "0.00", "0.0"),
    ]
    assert refused == 422
    assert pointers(problem) == {"/tariffs/0": "unknown_tariff", "/tariffs/2": "unknown_tariff"}


#: January and February: a steady 1 kW, 1416 kWh.
_TWO_MONTHS = {
    "timezone": "UTC",
    "interval": "PT1H",
    "channels": {"import": {"start": "2026-01-01T00:00:00Z", "values": [1] * (24 * 59)}},
}
_ENERGY = [{"kind": "energy.flat", "rate": "1"}]
_DEMAND = [
    {"kind": "energy.flat", "rate": "0.60"},
    {"kind": "demand", "interval": "PT1H", "rate": "300"},
]


@pytest.fixture(name="api")
async def _api(serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service without a database, with demand charges too."""
    loaded = Plugins.of(flat=tariff_flat, demand=tariff_demand)
    async with serving(make_core(plugins=loaded)) as client:
        yield client


async def _compare(api: Client, **asked: object) -> dict[str, Any]:
    """Compare tariff A, a rate for energy, with B, a lower one and a demand each month."""
    tariffs = [
        {**document(charges, currency="BRL"), "name": name}
        for name, charges in (("A", _ENERGY), ("B", _DEMAND))
    ]
    body = {"usage": _TWO_MONTHS, "tariffs": tariffs, **asked}
    status, answer = await answer_of(api, "POST", "/v1/costs/compare", body)
    assert status == 200, answer
    return answer


async def test_a_long_window_is_compared_by_months(api: Client) -> None:
    """The demand of B counts in both months: 849.60 + 2 x 300.00, which is dearer than A."""
    answer = await _compare(api)

    assert answer["group"] == "P1M"
    assert [(ranked["tariff"], ranked["total"]) for ranked in answer["ranking"]] == [
        ("A", "1416.00"),
        ("B", "1449.60"),
    ]
    for ranked in answer["ranking"]:
        (assumption,) = ranked["assumptions"]
        assert assumption["code"] == "grouped_by_month"
        assert "priced as 2 bills" in assumption["message"]


async def test_a_comparison_may_take_the_whole_window_as_one_bill(api: Client) -> None:
    """Then the demand of B counts once, and B says so: what is asked for is no assumption."""
    answer = await _compare(api, group="whole")

    assert answer["group"] == "whole"
    assert [(ranked["tariff"], ranked["total"]) for ranked in answer["ranking"]] == [
        ("B", "1149.60"),
        ("A", "1416.00"),
    ]
    codes = [[item["code"] for item in ranked["assumptions"]] for ranked in answer["ranking"]]
    assert codes == [["long_bill"], []]


@pytest.mark.parametrize(("end", "group"), [("2026-02-15", "whole"), ("2026-02-16", "P1M")])
async def test_a_window_of_45_days_is_one_bill(api: Client, end: str, group: str) -> None:
    """A bill of a month may have waited two weeks for its meter to be read."""
    assert (await _compare(api, end=end))["group"] == group


async def test_months_are_those_of_the_days_that_are_counted(api: Client) -> None:
    """From a midnight of the tariffs' zone to another: two bills, not three by months of UTC."""
    zone, start = "America/Sao_Paulo", "2026-01-01T03:00:00Z"
    charges = [{**document(_DEMAND, currency="BRL"), "timezone": zone} for _ in range(2)]
    readings = {"import": {"start": start, "values": [1] * (24 * 59)}}
    body = {"usage": {**_TWO_MONTHS, "channels": readings}, "tariffs": charges}

    _, answer = await answer_of(api, "POST", "/v1/costs/compare", body)

    assert [ranked["total"] for ranked in answer["ranking"]] == ["1449.60", "1449.60"]
    assert "priced as 2 bills" in answer["ranking"][0]["assumptions"][0]["message"]
