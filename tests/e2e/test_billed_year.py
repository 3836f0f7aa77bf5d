"""A year of monthly bills for a real household under three tariffs, beside `year.py`."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import aiohttp
import pytest

from energia_plugins.demo import household
from tests.e2e import year

TARIFFS = ("demo-flat", "demo-night", "demo-seasons")
#: The day that is sent again, each hour a kilowatt-hour higher.
AGAIN = date(2021, 7, 14)


def changed(start: datetime, value: Fraction) -> Fraction:
    """Return what an hour has once the day was sent again."""
    return value + 1 if start.date() == AGAIN else value


async def call(
    api: aiohttp.ClientSession, method: str, path: str, body: object = None, status: int = 200
) -> Any:
    """Send a request and return its answer."""
    async with api.request(method, path, json=body) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def set_up(api: aiohttp.ClientSession) -> None:
    """Store a meter with the household's year for each tariff, and a contract."""
    site = {"name": "Home", "timezone": "Europe/London", "country": "GB", "currency": "GBP"}
    await call(api, "PUT", "/v1/sites/home", site, 201)
    channel = {"id": "import", "quantity": "active_energy", "direction": "import"}
    meter = {"site": "home", "channels": [{**channel, "unit": "kWh", "interval": "PT1H"}]}
    headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    for tariff in household.household_tariffs():
        id_ = tariff["id"]
        await call(api, "PUT", f"/v1/meters/{id_}", meter, 201)
        await call(api, "PUT", f"/v1/tariffs/{id_}", tariff, 201)
        contract = {"meter": id_, "tariff": id_, "start": "2021-01-01", "end": "2022-01-01"}
        await call(api, "PUT", f"/v1/contracts/{id_}", contract, 201)
        query = {"format": "csv", "meter": id_, "unit": "kWh"}
        async with api.post("/v1/imports", params=query, data=year.FILE, headers=headers) as answer:
            assert (await answer.json())["created"] == household.HOURS


def month(number: int) -> dict[str, str]:
    """Return the window of a month of the year."""
    after = date(2021 + number // 12, number % 12 + 1, 1)
    return {"start": f"2021-{number:02}-01", "end": after.isoformat()}


async def issue_all(api: aiohttp.ClientSession) -> list[Any]:
    """Issue every month of every contract and return the answers of the runs."""
    runs = ({**month(number), "issue": True} for number in range(1, 13))
    return [await call(api, "POST", "/v1/bills/run", run) for run in runs]


async def bills(api: aiohttp.ClientSession, **query: str) -> list[Any]:
    """Return the bills that a query lists."""
    async with api.get("/v1/bills", params={"limit": "1000", **query}) as answer:
        assert answer.status == 200, await answer.text()
        found = await answer.json()
    assert found["next"] is None
    items: list[Any] = found["items"]
    return items


def figures(bill: Any) -> dict[str, tuple[Fraction, Decimal]]:
    """Return the exact and the rounded amount of each line of a bill, by code."""
    return {
        line["code"]: (Fraction(line["exact"]), Decimal(line["amount"])) for line in bill["lines"]
    }


@pytest.fixture(name="billed")
async def _billed(api: aiohttp.ClientSession) -> aiohttp.ClientSession:
    """Give a service that has issued all bills of the year."""
    await set_up(api)
    await issue_all(api)
    return api


async def test_a_year_is_billed_to_the_penny(billed: aiohttp.ClientSession) -> None:
    """Every line of the 36 bills is what fractions give, one reading at a time."""
    found = await bills(billed, status="issued")

    for tariff in TARIFFS:
        expected = year.lines(tariff)
        of_tariff = {bill["start"]: bill for bill in found if bill["tariff"] == tariff}
        assert sorted(of_tariff) == [month(number)["start"] for number in range(1, 13)]
        for number in range(1, 13):
            bill = of_tariff[month(number)["start"]]
            assert figures(bill) == expected[number], bill
            assert Decimal(bill["total"]) == sum(paid for _, paid in expected[number].values())
    totals = {
        tariff: sum(Decimal(bill["total"]) for bill in found if bill["tariff"] == tariff)
        for tariff in TARIFFS
    }
    assert totals == {
        "demo-flat": Decimal("508.03"),
        "demo-night": Decimal("544.47"),
        "demo-seasons": Decimal("492.60"),
    }


async def test_a_run_again_changes_nothing(billed: aiohttp.ClientSession) -> None:
    """What is issued stays: the runs of all months find three unchanged bills each."""
    before = await bills(billed)

    again = await issue_all(billed)

    counts = [(run["created"], run["unchanged"], run["failed"]) for run in again]
    assert counts == [(0, 3, [])] * 12
    assert await bills(billed) == before


async def test_every_line_is_explained(billed: aiohttp.ClientSession) -> None:
    """The runs of a line add up to its quantity, and the arithmetic to its exact amount."""
    for bill in await bills(billed, start="2021-03-01", end="2021-04-01"):
        found = await call(billed, "GET", f"/v1/bills/{bill['id']}/explain")

        assert [one["line"]["code"] for one in found["lines"]] == list(figures(bill))
        for line, one in zip(bill["lines"], found["lines"], strict=True):
            assert one["reproduced"], one
            assert Fraction(one["arithmetic"]["value"]) == Fraction(line["exact"])
            if line.get("period"):
                runs = one["calendar"]["runs"]
                total = sum(Fraction(run["quantity"]) for run in runs)
                assert total == Fraction(line["quantity"])


async def test_a_supplier_is_checked(billed: aiohttp.ClientSession) -> None:
    """A supplier's own lines match; a penny is within a penny; two are a mismatch."""
    bill = (await bills(billed, contract="demo-night", start="2021-05-01", end="2021-06-01"))[0]
    path = f"/v1/bills/{bill['id']}/check"
    printed = [
        {"code": line["code"], "description": line["description"], "amount": line["amount"]}
        for line in bill["lines"]
    ]
    results = []
    for more in ("0.00", "0.01", "0.02"):
        first = {**printed[0], "amount": str(Decimal(printed[0]["amount"]) + Decimal(more))}
        total = str(Decimal(bill["total"]) + Decimal(more))
        body = {"lines": [first, *printed[1:]], "total": total, "tolerance": "0.01"}
        results.append((await call(billed, "POST", path, body))["result"])

    assert results == ["match", "within_tolerance", "mismatch"]


async def test_a_day_sent_again_is_corrected(billed: aiohttp.ClientSession) -> None:
    """The bills of its month are affected by what fractions say; corrections settle them."""
    before = await bills(billed)
    again = [
        {"meter": tariff, "start": start.isoformat(), "value": float(value + 1)}
        for tariff in TARIFFS
        for start, value in year.readings()
        if start.date() == AGAIN
    ]
    stored = await call(billed, "POST", "/v1/readings", {"readings": again})
    affected = await bills(billed, affected="true")

    assert (stored["corrected"], stored["rejected"]) == (72, 0)
    assert {bill["contract"]: bill["start"] for bill in affected} == dict.fromkeys(
        TARIFFS, "2021-07-01"
    )
    for bill in affected:
        expected = year.lines(bill["tariff"], changed)[7]
        total = sum(paid for _, paid in expected.values())
        assert bill["impact"]["reasons"] == ["readings"]
        assert Decimal(bill["impact"]["total"]) == total
        assert Decimal(bill["impact"]["difference"]) == total - Decimal(bill["total"])

        draft = await call(billed, "POST", "/v1/bills", {"corrects": bill["id"]}, 201)
        issued = await call(billed, "POST", f"/v1/bills/{draft['id']}/issue")
        assert (issued["status"], issued["corrects"]) == ("issued", bill["id"])
        assert figures(issued) == expected
        old = await call(billed, "GET", f"/v1/bills/{bill['id']}")
        assert (old["status"], old["total"]) == ("corrected", bill["total"])
    assert await bills(billed, affected="true") == []
    assert len(await bills(billed)) == len(before) + 3
    assert [(run["created"], run["unchanged"]) for run in await issue_all(billed)] == [(0, 3)] * 12
