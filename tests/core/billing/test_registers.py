"""Bills from read to read of a register, and of gas that is billed by its own times."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import (
    tariff_demand,
    tariff_dynamic,
    tariff_flat,
    tariff_tiered,
    tariff_time_of_use,
)
from tests.core.billing.setting import CONTRACT, SITE, refusal, success, tariff, tariff_of
from tests.core.pricing.asking import answer_of
from tests.serving import Client, Serving, make_core

REGISTER = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "kind": "register",
    "digits": 5,
    "multiplier": "1",
    "max_power": "15",
}
GAS = {
    "id": "gas",
    "quantity": "gas_volume",
    "direction": "import",
    "unit": "m3",
    "kind": "irregular",
}
SAO_PAULO = {**SITE, "timezone": "America/Sao_Paulo"}
READS = "/v1/meters/m/registers"
BILL = {"contract": "c", "start": "2025-03-05", "end": "2025-04-06"}
FLAT = {"kind": "energy.flat", "rate": "0.50"}
TIME_OF_USE = {
    "kind": "energy.time_of_use",
    "schedule": {
        "rules": [{"period": "peak", "days": ["weekday"], "from": "18:00", "to": "21:00"}],
        "default": "off",
    },
    "rates": {"peak": "1", "off": "0.50"},
}


@pytest.fixture(name="client")
async def _client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with more kinds of charges."""
    charges = {
        "tariff_demand": tariff_demand,
        "tariff_dynamic": tariff_dynamic,
        "tariff_flat": tariff_flat,
        "tariff_tiered": tariff_tiered,
        "tariff_time_of_use": tariff_time_of_use,
    }
    async with serving(make_core(plugins=Plugins.of(**charges), pool=pool)) as client:
        yield client


def reads(*values: tuple[str, str], **more: Any) -> dict[str, Any]:
    """Return the body of reads, each with its time and value."""
    return {"reads": [{"at": at, "value": value, **more} for at, value in values]}


async def read_monthly(client: Client, document: dict[str, Any] | None = None) -> None:
    """Store a meter that is read on 5 March, 6 April and 6 May, and its contract."""
    await success(client, "PUT", "/v1/sites/home", SAO_PAULO)
    await success(client, "PUT", "/v1/meters/m", {"site": "home", "channels": [REGISTER]})
    sent = reads(
        ("2025-03-05T10:30:00-03:00", "18344"),
        ("2025-04-06T09:10:00-03:00", "18581"),
        ("2025-05-06", "18810"),
    )
    stored = await success(client, "POST", READS, sent)
    assert (stored["received"], stored["created"]) == (3, 3)
    await success(client, "PUT", "/v1/tariffs/flat", document or tariff(FLAT))
    await success(client, "PUT", "/v1/contracts/c", CONTRACT)


async def test_a_bill_from_read_to_read(client: Client) -> None:
    """237 kWh between two reads at 0.50 are 118.50, whatever the time of day they were taken at."""
    await read_monthly(client)
    bill = await success(client, "POST", "/v1/bills", BILL)
    assert bill["total"] == "118.50"
    assert bill["lines"][0]["quantity"] == "237"
    assert bill["coverage"]["missing"] == 0


async def test_a_bill_between_reads(client: Client) -> None:
    """A bill that begins where nobody read is refused, and says where somebody did."""
    await read_monthly(client)
    status, problem = await answer_of(client, "POST", "/v1/bills", {**BILL, "start": "2025-03-10"})
    assert (status, problem["errors"][0]["code"]) == (422, "not_read")
    assert "read on 2025-03-05 and on 2025-04-06, and not on 2025-03-10" in problem["detail"]


async def test_a_bill_beyond_the_reads(client: Client) -> None:
    """After the last read nothing is known."""
    await read_monthly(client)
    later = {**BILL, "start": "2025-05-06", "end": "2025-06-06"}
    assert await refusal(client, "POST", "/v1/bills", later) == (
        422,
        "incomplete_usage",
        {"/contract": "never_sent"},
    )


@pytest.mark.parametrize(
    "charge",
    [
        TIME_OF_USE,
        {"kind": "demand", "rate": "10", "interval": "PT15M"},
        {"kind": "energy.dynamic", "series": "spot"},
    ],
)
async def test_a_charge_that_needs_finer_readings(client: Client, charge: dict[str, Any]) -> None:
    """What a charge needs and a read a month cannot tell is refused, by the name of the charge."""
    prices = {"currency": "BRL", "unit": "kWh", "interval": "PT1H", "timezone": "UTC"}
    await success(client, "PUT", "/v1/price-series/spot", prices)
    await read_monthly(client, tariff(charge))
    status, problem = await answer_of(client, "POST", "/v1/bills", BILL)
    assert (status, problem["errors"][0]["code"]) == (422, "needs_finer_readings")
    assert problem["detail"].startswith(f"the charge {charge['kind']} needs finer readings")


async def test_tiers_of_a_bill(client: Client) -> None:
    """Tiers of a bill need no more than its sum: 100 kWh at 0.40, 137 at 0.60."""
    tiers = [{"up_to": "100", "rate": "0.40"}, {"rate": "0.60"}]
    await read_monthly(client, tariff({"kind": "energy.tiered", "tiers": tiers}))
    bill = await success(client, "POST", "/v1/bills", BILL)
    assert bill["total"] == "122.20"


async def test_a_new_price_between_reads(client: Client) -> None:
    """Where a version begins between two reads, what was used is spread over the days, and told."""
    versions = [
        {"valid_from": "2025-01-01", "valid_to": "2025-03-21", "charges": [FLAT]},
        {"valid_from": "2025-03-21", "charges": [{**FLAT, "rate": "1.00"}]},
    ]
    await read_monthly(client, {**tariff_of(*versions), "timezone": "America/Sao_Paulo"})
    bill = await success(client, "POST", "/v1/bills", BILL)
    assert [line["quantity"] for line in bill["lines"]] == ["118.5", "118.5"]
    assert bill["total"] == "177.75"
    assert [each["code"] for each in bill["assumptions"]] == ["spread_readings"]


SUMMER = {"season": {"from": "03-01", "to": "04-05"}}


@pytest.mark.parametrize("hours", [[("00:00", "24:00")], [("00:00", "08:00"), ("08:00", "24:00")]])
async def test_the_explanation_of_seasons(client: Client, hours: list[tuple[str, str]]) -> None:
    """Each line has what was used in its season, also where a rule is of some hours."""
    rules = [{"period": "summer", **SUMMER, "from": begin, "to": end} for begin, end in hours]
    schedule = {"rules": rules, "default": "winter"}
    charge = {**TIME_OF_USE, "schedule": schedule, "rates": {"summer": "1", "winter": "2"}}
    version = {"valid_from": "2025-01-01", "charges": [charge]}
    await read_monthly(client, {**tariff_of(version), "timezone": "America/Sao_Paulo"})
    bill = await success(client, "POST", "/v1/bills", {**BILL, "end": "2025-05-06"})
    explained = await success(client, "GET", f"/v1/bills/{bill['id']}/explain")
    calendars = [line["calendar"]["runs"] for line in explained["lines"]]
    assert [[run["quantity"] for run in runs] for runs in calendars] == [["237"], ["229"]]


async def test_an_issued_bill_and_a_corrected_read(client: Client) -> None:
    """A corrected read leaves the issued bill as it is, and lists it as affected."""
    await read_monthly(client)
    bill = await success(client, "POST", "/v1/bills", BILL)
    await success(client, "POST", f"/v1/bills/{bill['id']}/issue")
    changed = await success(client, "POST", READS, reads(("2025-04-06T09:10:00-03:00", "18580")))
    assert changed["corrected"] == 1

    explained = await success(client, "GET", f"/v1/bills/{bill['id']}/explain")
    listed = await success(client, "GET", "/v1/bills?affected=true")

    assert explained["lines"][0]["line"]["quantity"] == "237"
    assert [each["impact"]["total"] for each in listed["items"]] == ["118.00"]


async def test_an_issued_bill_and_a_read_that_is_withdrawn(client: Client) -> None:
    """The bill stays as it is, and is affected: its period cannot be billed any more."""
    await read_monthly(client)
    bill = await success(client, "POST", "/v1/bills", BILL)
    await success(client, "POST", f"/v1/bills/{bill['id']}/issue")
    await success(client, "DELETE", f"{READS}?at=2025-04-06T09:10:00-03:00")

    explained = await success(client, "GET", f"/v1/bills/{bill['id']}/explain")
    (listed,) = (await success(client, "GET", "/v1/bills?affected=true"))["items"]

    assert explained["lines"][0]["line"]["quantity"] == "237"
    assert listed["impact"]["reasons"] == ["readings"]


async def test_an_exchange_within_a_bill(client: Client) -> None:
    """With both reads of the exchange, a bill is what both meters counted."""
    await read_monthly(client)
    exchange = {"at": "2025-05-20T14:00:00-03:00", "final": "18903", "initial": "0"}
    await success(client, "POST", "/v1/meters/m/exchange", exchange)
    await success(client, "POST", READS, reads(("2025-06-05", "95")))
    bill = await success(
        client, "POST", "/v1/bills", {**BILL, "start": "2025-05-06", "end": "2025-06-05"}
    )
    assert bill["lines"][0]["quantity"] == "188"


async def test_a_register_that_went_back(client: Client) -> None:
    """It is stored with a warning, and no bill goes across it."""
    await read_monthly(client)
    stored = await success(client, "POST", READS, reads(("2025-06-05", "12")))
    (problem,) = stored["problems"]
    assert (problem["code"], problem["severity"]) == ("register_went_back", "warning")
    bill = {**BILL, "start": "2025-05-06", "end": "2025-06-05"}
    assert (await refusal(client, "POST", "/v1/bills", bill))[1] == "incomplete_usage"


async def test_what_it_costs_to_date(client: Client) -> None:
    """A growing bill goes to the last read."""
    await read_monthly(client)
    answer = await success(client, "GET", "/v1/contracts/c/to-date?start=2025-03-05")
    assert (answer["total"], answer["end"]) == ("233.00", "2025-05-06T00:00:00-03:00")


async def test_a_bill_of_gas(client: Client) -> None:
    """Gas that was billed by its own times is billed by them again."""
    await success(client, "PUT", "/v1/sites/home", SAO_PAULO)
    await success(client, "PUT", "/v1/meters/m", {"site": "home", "channels": [GAS]})
    sent = [
        {"start": "2025-03-05", "end": "2025-04-06", "value": "52.4"},
        {"start": "2025-04-06", "end": "2025-05-06", "value": "40"},
    ]
    stored = await success(client, "POST", "/v1/meters/m/stretches", {"stretches": sent})
    assert stored["created"] == 2
    charge = {**FLAT, "channel": "gas_volume.import"}
    await success(client, "PUT", "/v1/tariffs/flat", tariff(charge))
    await success(client, "PUT", "/v1/contracts/c", CONTRACT)
    bill = await success(client, "POST", "/v1/bills", BILL)
    assert (bill["total"], bill["lines"][0]["unit"]) == ("26.20", "m3")


async def test_a_cost_from_read_to_read(client: Client) -> None:
    """A cost of a register needs the same: a window from read to read, or an estimate."""
    await read_monthly(client)
    body = {"meter": "m", "tariff": "flat", "start": "2025-03-05", "end": "2025-04-06"}
    assert (await success(client, "POST", "/v1/costs", body))["total"] == "118.50"
    between = {**body, "end": "2025-03-21"}
    assert (await refusal(client, "POST", "/v1/costs", between))[2] == {"/meter": "not_read"}
    guess = await success(client, "POST", "/v1/costs", {**between, "missing": "estimate"})
    assert guess["total"] == "59.25"
    assert [each["code"] for each in guess["assumptions"]] == ["spread_readings"]


async def test_a_sum_of_an_estimated_register(client: Client) -> None:
    """Two registers are added up: where one is estimated, so is the sum."""
    tariffs = [{**REGISTER, "id": "day"}, {**REGISTER, "id": "night"}]
    await success(client, "PUT", "/v1/sites/home", SAO_PAULO)
    await success(client, "PUT", "/v1/meters/m", {"site": "home", "channels": tariffs})
    for channel, quality in (("day", "estimated"), ("night", "actual")):
        times = ("2025-03-05", "1"), ("2025-04-06", "9")
        sent = reads(*times, channel=channel, quality=quality)
        await success(client, "POST", READS, sent)
    await success(client, "PUT", "/v1/tariffs/flat", tariff(FLAT))
    body = {"meter": "m", "tariff": "flat", "start": "2025-03-05", "end": "2025-04-06"}
    named = {"import": ["day", "night"]}
    cost = await success(client, "POST", "/v1/costs", {**body, "channels": named})
    assert (cost["total"], cost["coverage"]["estimated"]) == ("8.00", 3072)


async def test_a_charge_by_time_of_day_after_an_exchange_of_channels(client: Client) -> None:
    """A register until 20 March, hours since: the bill of March cannot be told by hours."""
    energy = {name: REGISTER[name] for name in ("quantity", "direction", "unit")}
    channels = [REGISTER, {"id": "new", **energy, "interval": "PT1H"}]
    await success(client, "PUT", "/v1/sites/home", SAO_PAULO)
    await success(client, "PUT", "/v1/meters/m", {"site": "home", "channels": channels})
    sent = reads(("2025-03-05", "1"), ("2025-03-20", "9"), channel="import")
    await success(client, "POST", READS, sent)
    hours = {"meter": "m", "channel": "new", "interval": "PT1H", "values": [1] * 24 * 17}
    series = {"series": [{**hours, "start": "2025-03-20T03:00:00Z"}]}
    await success(client, "POST", "/v1/readings", series)
    await success(client, "PUT", "/v1/tariffs/hours", tariff(TIME_OF_USE))
    day = "2025-03-20"
    dated = [{"channel": "import", "end": day}, {"channel": "new", "start": day}]
    body = {"meter": "m", "tariff": "hours", "end": "2025-04-06", "channels": {"import": dated}}
    whole = await refusal(client, "POST", "/v1/costs", {**body, "start": "2025-03-05"})
    since = await success(client, "POST", "/v1/costs", {**body, "start": "2025-03-20"})
    assert (whole[0], since["total"]) == (422, "222.00")
