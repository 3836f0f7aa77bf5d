"""Bills by price series: they keep the prices that they were made from."""

from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from energia.db.connection import Result
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import tariff_dynamic
from tests.core.billing.setting import day, draft, issued, refusal, store_household, success, tariff
from tests.serving import Client, Serving, make_core

SERIES = "/v1/price-series/spot"
HEAD = {"currency": "BRL", "unit": "kWh", "interval": "PT1H"}
SPOT = {"kind": "energy.dynamic", "series": "spot"}


@pytest.fixture
async def client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with a home on a dynamic tariff."""
    plugins = Plugins.of(tariff_dynamic=tariff_dynamic)
    async with serving(make_core(plugins=plugins, pool=pool)) as client:
        await success(client, "PUT", SERIES, HEAD)
        await prices(client, 1, *["0.10"] * 48)
        await store_household(client, tariff(SPOT))
        yield client


async def prices(client: Client, first: int, *values: str) -> None:
    """Store prices of hours of March, from a *first* day on."""
    body = {"start": f"2025-03-{first:02}T00:00:00Z", "values": list(values)}
    await success(client, "POST", f"{SERIES}/prices", body)


async def affected(client: Client) -> list[dict[str, Any]]:
    """Return the bills whose inputs have changed."""
    items: list[dict[str, Any]] = (await success(client, "GET", "/v1/bills?affected=true"))["items"]
    return items


async def test_a_bill_tells_which_prices_it_saw(client: Client) -> None:
    """24 kWh at 0.10, and the revision of the series."""
    bill = await issued(client, "b", 1)

    shown = await success(client, "GET", SERIES)
    assert bill["total"] == "2.40"
    assert bill["inputs"]["prices"] == [{"series": "spot", "revision_at": shown["revised_at"]}]


async def test_a_correction_of_prices_leaves_an_issued_bill(client: Client) -> None:
    """It is listed as affected, with what it would be; its explanation is by the old prices."""
    before = await issued(client, "b", 1)
    other = await issued(client, "c2", 2)
    await prices(client, 1, "0.50")

    (found,) = await affected(client)
    explained = await success(client, "GET", "/v1/bills/b/explain")

    assert found["id"] == "b"
    assert found["impact"] == {"reasons": ["prices"], "total": "2.80", "difference": "0.40"}
    assert (found["total"], before["total"], other["total"]) == ("2.40", "2.40", "2.40")
    (line,) = explained["lines"]
    assert line["reproduced"]
    (step,) = line["arithmetic"]["steps"]
    assert step["expression"] == "24 kWh x 0.1, on average of 24 slots"


async def test_a_correction_is_billed_by_the_new_prices(client: Client) -> None:
    """The difference is what is still to be paid."""
    await issued(client, "b", 1)
    await prices(client, 1, "0.50")

    corrected = await success(client, "POST", "/v1/bills", {"id": "new", "corrects": "b"})

    assert (corrected["total"], corrected["difference"]) == ("2.80", "0.40")


async def test_the_same_prices_again_change_nothing(client: Client) -> None:
    """Neither does a correction that is corrected back."""
    await issued(client, "b", 1)
    await prices(client, 1, "0.10")
    assert await affected(client) == []

    await prices(client, 1, "0.50")
    await prices(client, 1, "0.10")

    assert await affected(client) == []


async def test_a_draft_is_outdated_by_a_correction(client: Client) -> None:
    """What would be billed now is something else: 409."""
    await draft(client, "b", 1)
    await prices(client, 1, "0.50")

    status, code, _ = await refusal(client, "POST", "/v1/bills/b/issue")

    assert (status, code) == (409, "draft_outdated")


async def test_missing_prices_are_refused(client: Client) -> None:
    """The third day has none: 422, and a run goes on after it."""
    status, code, faults = await refusal(
        client, "POST", "/v1/bills", {"contract": "c", **day(2, 4)}
    )
    run = await success(client, "POST", "/v1/bills/run", day(2, 4))

    assert (status, code) == (422, "incomplete_prices")
    assert list(faults.values()) == ["missing_price"]
    assert [one["code"] for one in run["failed"]] == ["incomplete_prices"]


async def test_a_series_of_bills_stays(client: Client) -> None:
    """409 `in_use`; a draft holds nothing."""
    await draft(client, "b", 1)
    await issued(client, "b", 1)

    status, code, _ = await refusal(client, "DELETE", SERIES)

    assert (status, code) == (409, "in_use")


async def test_many_contracts_read_a_window_once(client: Client, pool: Pool) -> None:
    """A run of contracts with the same period asks for their prices in one statement."""
    sent: list[str] = []
    for number in range(3):
        meter = f"m{number}"
        body = {"site": "home", "channels": [CHANNEL]}
        await success(client, "PUT", f"/v1/meters/{meter}", body)
        series = {"meter": meter, "interval": "PT1H", "start": "2025-03-01T00:00:00Z"}
        await success(client, "POST", "/v1/readings", {"series": [{**series, "values": [1] * 24}]})
        contract = {"meter": meter, "tariff": "flat", "start": "2025-03-01"}
        await success(client, "PUT", f"/v1/contracts/c{number}", contract)

    def note(sql: str, answer: Awaitable[Result]) -> Awaitable[Result]:
        sent.append(sql)
        return answer

    pool.stats.statement_timers.append(note)

    run = await success(client, "POST", "/v1/bills/run", day(1))

    assert (run["created"], run["failures"]) == (4, 0)
    assert sum("string_agg(price::text" in sql for sql in sent) == 1


CHANNEL = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "interval": "PT1H",
}
