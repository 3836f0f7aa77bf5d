"""Metrics of readings, prices and bills, with a real database behind the service."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.costing.timing import PricingFinished
from energia.db.pool import Pool
from energia.hookspecs import hookimpl
from energia.metering.outcome import ReadingsRejected
from energia.plugins import Plugins
from tests.plugins.test_bill_webhook import METER, SERIES, SITE, TARIFF
from tests.plugins.test_metrics_prometheus import scrape
from tests.serving import Client, Serving, make_core


class Witness:
    """A plugin that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[ReadingsRejected | PricingFinished] = []

    @hookimpl
    def readings_rejected(self, event: ReadingsRejected) -> None:
        """Note a refusal."""
        self.told.append(event)

    @hookimpl
    def pricing_finished(self, event: PricingFinished) -> None:
        """Note a duration."""
        self.told.append(event)


@pytest.fixture
async def client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with all plugins, a meter and a tariff."""
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        await send(client, "PUT", "/v1/sites/home", SITE)
        await send(client, "PUT", "/v1/meters/m", METER)
        await send(client, "PUT", "/v1/tariffs/flat", TARIFF)
        yield client


async def send(client: Client, method: str, path: str, body: object = None) -> int:
    """Send a request and return the status of its answer."""
    async with client.request(method, path, json=body) as answer:
        await answer.read()
        return answer.status


def reading(start: str, value: object = 1) -> dict[str, Any]:
    """Return a body with one reading."""
    return {"readings": [{"meter": "m", "start": start, "value": value}]}


async def test_refused_readings_are_counted_by_reason(client: Client) -> None:
    """A request that is refused counts each of its faults, and stores and counts no reading."""
    wrong = {**SERIES, "start": "2026-03-01T00:07:00Z"}
    assert await send(client, "POST", "/v1/readings", {"series": [wrong]}) == 422
    assert await send(client, "POST", "/v1/readings", {"series": [{**SERIES, "meter": "x"}]}) == 422
    value = await scrape(client)

    assert value("energia_readings_rejected_total", reason="off_grid") > 0
    assert value("energia_readings_rejected_total", reason="unknown_meter") > 0
    assert value("energia_readings_total", missing=-1, outcome="created") in (-1, 0)


async def test_skipped_readings_are_counted_by_reason(client: Client) -> None:
    """What is left out is counted by reason too, besides what is stored."""
    body = {"series": [SERIES, {**SERIES, "meter": "x"}]}
    assert await send(client, "POST", "/v1/readings?on_problem=skip", body) == 200
    value = await scrape(client)

    assert value("energia_readings_total", outcome="created") == 48
    assert value("energia_readings_total", outcome="rejected") == 48
    assert value("energia_readings_rejected_total", reason="unknown_meter") > 0


async def test_prices_and_bills_are_timed(client: Client) -> None:
    """A cost, a comparison, a bill and a run are each timed once."""
    await send(client, "POST", "/v1/readings", {"series": [SERIES]})
    contract = {"meter": "m", "tariff": "flat", "start": "2026-03-01"}
    window = {"meter": "m", "start": "2026-03-01", "end": "2026-03-02"}
    period = {"start": "2026-03-01", "end": "2026-03-02"}
    for path, body in (
        ("/v1/costs", {**window, "tariff": "flat"}),
        ("/v1/costs/compare", {**window, "tariffs": ["flat"]}),
        ("/v1/bills", {"id": "b", "contract": "c", **period}),
        ("/v1/bills/run", {"start": "2026-03-02", "end": "2026-03-03"}),
    ):
        await send(client, "PUT", "/v1/contracts/c", contract)
        assert await send(client, "POST", path, body) in (200, 201)
    value = await scrape(client)
    count = "energia_pricing_duration_seconds_count"

    assert [value(count, operation=one) for one in ("cost", "compare", "bill", "run")] == [
        *(1, 1),
        2,  # the bill, and that of the run
        1,
    ]


async def test_conflicts_and_exceptions_are_counted(client: Client) -> None:
    """A 409 counts under the code of its problem, and every error under its class."""
    assert await send(client, "DELETE", "/v1/sites/home") == 409
    assert await send(client, "GET", "/v1/meters/none") == 404
    value = await scrape(client)
    name = "http_exceptions_total"

    assert value("energia_conflicts_total", code="in_use") == 1
    assert value(name, route="/v1/sites/{site}", exception="InUse") == 1
    assert value(name, route="/v1/meters/{meter}", exception="NotFound") == 1


async def test_statements_are_timed(client: Client) -> None:
    """A statement is timed under its first word, past what sets the organization."""
    before = await scrape(client)
    await send(client, "GET", "/v1/sites/home")
    after = await scrape(client)
    name = "db_query_duration_seconds_count"

    assert after(name, operation="select") > before(name, operation="select")
    assert after("db_pool_wait_seconds_count") > before("db_pool_wait_seconds_count")


async def test_what_is_read_again_is_counted(client: Client) -> None:
    """A day of readings comes from the database, and when it is read again, from memory."""
    await send(client, "POST", "/v1/readings", {"series": [SERIES]})
    window = f"start={SERIES['start']}&end=2026-03-01T06:00:00Z"
    for _ in ("first", "again"):
        assert await send(client, "GET", f"/v1/meters/m/usage?{window}") == 200
    value = await scrape(client)

    name = "db_copies_rows_total"
    assert value(name, place="database") == value(name, place="memory") == 1
    assert value("db_copies_bytes") > 0


async def test_observers_are_told(pool: Pool, serving: Serving) -> None:
    """Any plugin hears of refusals and of durations."""
    witness = Witness()
    plugins = Plugins.of(witness=witness)
    async with serving(make_core(plugins=plugins, pool=pool)) as client:
        await send(client, "POST", "/v1/readings", {"series": [SERIES]})
    plugins.pricing_finished(PricingFinished("cost", 0.5))

    assert witness.told == [
        ReadingsRejected("json", {"unknown_meter": 1}),
        PricingFinished("cost", 0.5),
    ]
