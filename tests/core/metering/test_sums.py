"""Usage of several meters together, over HTTP."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from energia.db.pool import Pool
from tests.core.metering.setting import one_series
from tests.core.metering.test_endpoints import CHANNEL, SITE, answer
from tests.serving import Client, Serving, make_core

#: Midnight of 1 March 2026 in São Paulo, in seconds.
MIDNIGHT = 1_772_334_000
DAYS = {"start": "2026-03-01", "end": "2026-03-03"}
GAS = {"id": "gas", "quantity": "gas_volume", "direction": "import", "unit": "m3"}


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve a site with two meters of other intervals, and one that is of gas alone."""
    async with serving(make_core(pool=pool)) as client:
        await client.put("/v1/sites/home", json=SITE)
        hourly = CHANNEL | {"interval": "PT1H"}
        gas = {**GAS, "interval": "PT1H"}
        for id_, channel in (("a", CHANNEL), ("b", hourly), ("c", gas)):
            body = {"site": "home", "channels": [channel]}
            assert (await client.put(f"/v1/meters/{id_}", json=body)).status == 201
        await send(client, "a", "PT15M", [0.1] * 192)
        await send(client, "b", "PT1H", [0.7] * 30 + [None] * 18)
        await send(client, "c", "PT1H", [1] * 48)
        yield client


async def send(api: Client, meter: str, interval: str, values: list[float | None]) -> None:
    """Store readings of a meter, from midnight on."""
    body = {"series": [one_series(values, MIDNIGHT, meter, interval)]}
    await answer(await api.post("/v1/readings", json=body))


async def usage(api: Client, path: str, status: int = 200, **query: str) -> Any:
    """Return the answer to a question about the two days."""
    return await answer(await api.get(path, params=DAYS | query), status)


async def test_a_site_is_the_sum_of_its_meters(api: Client) -> None:
    """Each window has the exact sum, and all slots that it rests on, of whatever length."""
    found = await usage(api, "/v1/sites/home/usage")
    windows = {row["start"][:10]: (row["value"], row["coverage"]) for row in found["data"]}

    assert (found["role"], found["unit"], found["timezone"]) == (
        *("import", "kWh", "America/Sao_Paulo"),
    )
    assert [(each["meter"], each["channel"]) for each in found["channels"]] == [
        *(("a", "import"), ("b", "import")),
    ]
    assert windows["2026-03-01"][0] == "26.4"
    assert windows["2026-03-02"] == (
        "13.8",
        {"expected": 120, "actual": 102, "estimated": 0, "questionable": 0, "missing": 18},
    )
    assert [each["code"] for each in found["assumptions"]] == ["intervals_differ"]


@pytest.mark.parametrize("window", ["month", "P1M", "day", "PT1H"])
async def test_a_sum_is_that_of_its_meters(api: Client, window: str) -> None:
    """Window by window, the values and the coverage of the meters add up to those of the sum."""
    found = await usage(api, "/v1/usage", meters="a,b", window=window, by="meter")
    alone = [await usage(api, f"/v1/meters/{meter}/usage", window=window) for meter in "ab"]

    for row, *parts in zip(found["data"], *(each["data"] for each in alone), strict=True):
        assert Decimal(row["value"]) == sum(Decimal(part["value"]) for part in parts)
        assert [part["value"] for part in row["meters"]] == [part["value"] for part in parts]
        for name, count in row["coverage"].items():
            assert count == sum(part["coverage"][name] for part in parts)


async def test_meters_are_named_once_or_again(api: Client) -> None:
    """With commas or by the parameter again, and twice is no more than once."""
    first = await usage(api, "/v1/usage", meters="a,b")
    query = [*DAYS.items(), ("meters", "a"), ("meters", "b,a")]

    assert await answer(await api.get("/v1/usage", params=query)) == first


async def test_another_role(api: Client) -> None:
    """What has another unit is never added to it: it is asked for apart."""
    found = await usage(api, "/v1/sites/home/usage", role="gas_volume.import", window="P1M")

    assert (found["unit"], found["data"][0]["value"]) == ("m3", "48")
    assert [each["meter"] for each in found["channels"]] == ["c"]


async def test_nothing_to_add_up(api: Client) -> None:
    """A site without a channel of the role has sums of nothing, and says so."""
    found = await usage(api, "/v1/sites/home/usage", role="export")

    assert (found["channels"], found["unit"]) == ([], None)
    assert {(row["value"], row["coverage"]["expected"]) for row in found["data"]} == {("0", 0)}


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"meters": "a,nobody"}, {"unknown_meter"}),
        ({"meters": "a,c"}, {"unknown_channel"}),
        ({"meters": "a,,b"}, {"bad_pattern"}),
        ({"meters": "a", "window": "PT1M"}, {"bad_window"}),
        ({"meters": "a", "window": "week"}, {"bad_window"}),
        ({"meter": "a"}, {"missing_field", "unknown_parameter"}),
    ],
)
async def test_what_cannot_be_added_up(api: Client, query: dict[str, str], codes: set[str]) -> None:
    """It is refused, and not left out of the sum."""
    problem = await usage(api, "/v1/usage", 422, **query)

    assert {fault["code"] for fault in problem["errors"]} == codes


async def test_days_that_are_not_the_same(api: Client) -> None:
    """Meters in two time zones are not added up: their days are not the same."""
    await api.put("/v1/sites/far", json=SITE | {"timezone": "UTC"})
    await api.put("/v1/meters/far", json={"site": "far", "channels": [CHANNEL]})
    problem = await usage(api, "/v1/usage", 422, meters="a,far")

    assert problem["errors"][0]["code"] == "different_time_zones"


async def test_one_channel_of_a_meter(api: Client) -> None:
    """A meter with several channels of the role is refused by name, unless one is named."""
    both = [CHANNEL | {"id": name} for name in ("day", "night")]
    await api.put("/v1/meters/two", json={"site": "home", "channels": both})
    await usage(api, "/v1/sites/home/usage", 422, channel="evening")
    problem = await usage(api, "/v1/sites/home/usage", 422)
    found = await usage(api, "/v1/sites/home/usage", channel="night")

    assert (problem["code"], "'two'" in problem["detail"]) == ("ambiguous_channel", True)
    assert {"meter": "two", "channel": "night"} in found["channels"]


async def test_no_such_site(api: Client) -> None:
    """It is 404, as a meter that is not there."""
    assert (await usage(api, "/v1/sites/none/usage", 404))["code"] == "not_found"
