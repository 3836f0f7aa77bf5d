"""Situations of public bug reports that are told in words: what they say, step by step over HTTP.

Those that are one request are in `tests/data/cases`. Here too the right values were worked out
apart, by hand.
"""

from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from tests.core.billing.setting import success
from tests.core.pricing.asking import answer_of
from tests.core.pricing.documents import document
from tests.serving import Client, Serving, make_core

FLAT: dict[str, Any] = {"kind": "energy.flat", "code": "e", "rate": "1"}
CHANNEL = {"quantity": "active_energy", "direction": "import", "unit": "kWh", "interval": "PT1H"}
DEMAND = {"kind": "demand", "interval": "PT1H"}
EVENING = {"default": "off", "rules": [{"period": "peak", "from": "18:00", "to": "21:00"}]}
TOU = {"kind": "energy.time_of_use", "code": "e", "schedule": EVENING}
MARCH = {"start": "2026-03-01", "end": "2026-04-01"}
TWO_DAYS = {"start": "2026-03-02", "end": "2026-03-04"}


@pytest.fixture
async def client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with an empty database and all bundled plugins."""
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        yield client


def tariff(*charges: dict[str, Any], currency: str = "EUR", **fields: Any) -> dict[str, Any]:
    """Return a tariff of one version, in UTC unless told otherwise."""
    return document(charges, fields.pop("timezone", "UTC"), currency, **fields)


async def site(client: Client, *channels: str, timezone: str = "UTC") -> None:
    """Make a site with the meter `m`, whose hourly channels are for import or as their ids say."""
    place = {"name": "Home", "timezone": timezone, "country": "ES", "currency": "EUR"}
    made = [
        {**CHANNEL, "id": id_, "direction": "export" if id_ == "export" else "import"}
        for id_ in channels or ("import",)
    ]
    await success(client, "PUT", "/v1/sites/home", place)
    await success(client, "PUT", "/v1/meters/m", {"site": "home", "channels": made})


async def send(
    client: Client, start: str, values: Sequence[float | None], channel: str = "import"
) -> None:
    """Send hours from an instant on."""
    series = {"meter": "m", "channel": channel, "interval": "PT1H", "start": start}
    await success(client, "POST", "/v1/readings", {"series": [{**series, "values": list(values)}]})


async def contract(client: Client, prices: dict[str, Any], **fields: Any) -> None:
    """Store the tariff `t` and the contract `c` of it, from 2026 on."""
    await success(client, "PUT", "/v1/tariffs/t", prices)
    body = {"meter": "m", "tariff": "t", "start": "2026-01-01", **fields}
    await success(client, "PUT", "/v1/contracts/c", body)


async def issued(client: Client, id_: str, **fields: Any) -> dict[str, Any]:
    """Draft a bill of the contract `c`, or of what is said, and issue it."""
    of = {} if "corrects" in fields else {"contract": "c"}
    await success(client, "POST", "/v1/bills", {"id": id_, **of, **fields})
    return await success(client, "POST", f"/v1/bills/{id_}/issue")


async def cost(
    client: Client, prices: dict[str, Any], usage: dict[str, list[int]], unit: str = "kWh"
) -> dict[str, Any]:
    """Return what hours from 18:00 on 2 March cost, each role with its values."""
    start = "2026-03-02T18:00:00Z"
    channels = {
        role: {"start": start, "unit": unit, "values": values} for role, values in usage.items()
    }
    sent = {"timezone": "UTC", "interval": "PT1H", "channels": channels}
    return await success(client, "POST", "/v1/costs", {"tariff": prices, "usage": sent})


def amounts(cost: dict[str, Any]) -> dict[str, str]:
    """Return the amounts, by the codes of their lines."""
    return {line["code"]: line["amount"] for line in cost["lines"]}


async def test_a_meter_that_was_exchanged_has_one_ladder(client: Client) -> None:
    """Case f01: 150 and 150 kWh are 300 kWh of one ladder, 705550 dong and 8 % of tax."""
    bounds = [("50", "1893"), ("100", "1956"), ("200", "2271"), (None, "2860")]
    tiers = [{"rate": rate} | ({"up_to": bound} if bound else {}) for bound, rate in bounds]
    ladder = {"kind": "energy.tiered", "code": "e", "tiers": tiers}
    vat = {"kind": "tax", "form": "add_on", "taxes": [{"name": "vat", "rate": "0.08"}]}
    zone = "Asia/Ho_Chi_Minh"
    await site(client, "old", "new", timezone=zone)
    await send(client, "2026-03-01T00:00:00+07:00", [10] * 15 + [0] * 345, "old")
    await send(client, "2026-03-16T00:00:00+07:00", [10] * 15 + [0] * 369, "new")
    prices = tariff(ladder, vat, currency="VND", timezone=zone)
    dated = [{"channel": "old", "end": "2026-03-16"}, {"channel": "new", "start": "2026-03-16"}]
    await contract(client, prices, channels={"import": dated})

    bill = await issued(client, "b", **MARCH)
    window = {"meter": "m", "tariff": "t", **MARCH, "channels": {"import": ["old", "new"]}}
    zero = await success(client, "POST", "/v1/costs", {**window, "missing": "zero"})

    assert (bill["total"], bill["assumptions"]) == ("761994", [])
    assert zero["total"] == "761994"


async def test_a_gap_that_counts_zero_is_that_of_its_channel(client: Client) -> None:
    """Case f02: L1 is 5, 5, 5, 5 and L2 is 1, 1, 1 and a gap, together 23 kWh."""
    await site(client, "L1", "L2")
    await send(client, "2026-03-02T00:00:00Z", [5, 5, 5, 5], "L1")
    await send(client, "2026-03-02T00:00:00Z", [1, 1, 1, None], "L2")
    await success(client, "PUT", "/v1/tariffs/t", tariff(FLAT))
    window = {"start": "2026-03-02T00:00:00Z", "end": "2026-03-02T04:00:00Z"}
    body = {"meter": "m", "tariff": "t", **window, "channels": {"import": ["L1", "L2"]}}

    status, refused = await answer_of(client, "POST", "/v1/costs", body)
    zero = await success(client, "POST", "/v1/costs", {**body, "missing": "zero"})

    assert (status, refused["errors"][0]["message"].partition(":")[0]) == (422, "import (L2)")
    assert zero["total"] == "23.00"


async def test_a_gap_is_estimated_by_its_channel(client: Client) -> None:
    """Case f03: 50 kWh of L1 in the hour that L2 lacks stay: 47 + 50 + 48 x 2 are 193."""
    hours = range(48)
    await site(client, "L1", "L2")
    await send(client, "2026-01-05T00:00:00Z", [50 if hour == 8 else 1 for hour in hours], "L1")
    await send(client, "2026-01-05T00:00:00Z", [None if hour == 8 else 2 for hour in hours], "L2")
    await contract(client, tariff(FLAT), channels={"import": ["L1", "L2"]})
    window = {"start": "2026-01-05", "end": "2026-01-07", "missing": "estimate"}
    body = {"meter": "m", "tariff": "t", **window, "channels": {"import": ["L1", "L2"]}}

    found = await success(client, "POST", "/v1/costs", body)
    bill = await issued(client, "b", **window)

    assert (found["total"], bill["total"]) == ("193.00", "193.00")


async def test_a_correcting_bill_asks_for_the_difference(client: Client) -> None:
    """Case f06b: 340 kWh at 0.262 and a fee of 12.40 are 101.48; 10 kWh more, 104.10."""
    fee = {"kind": "fixed", "amount": "12.40", "per": "bill"}
    await site(client)
    await send(client, "2026-03-01T00:00:00Z", [340] + [0] * 743)
    await contract(client, tariff({**FLAT, "rate": "0.262"}, fee))
    old = await issued(client, "old", **MARCH)
    await send(client, "2026-03-01T00:00:00Z", [350])

    new = await issued(client, "new", corrects="old")

    assert (old["total"], new["total"], new["difference"]) == ("101.48", "104.10", "2.62")


async def test_credits_last_sixty_months(client: Client) -> None:
    """Case g02: in March 2026 40 kWh of February 2021 have expired; 30 and 20 offset 50 of 100."""
    scee = {"kind": "export", "scheme": "net_metering", "expires_after": 60}
    await site(client, "import", "export")
    await send(client, "2026-03-01T00:00:00Z", [100] + [0] * 743)
    await send(client, "2026-03-01T00:00:00Z", [0] * 744, "export")
    await contract(client, tariff({**FLAT, "rate": "0.90"}, scee))
    ledger = [
        {"month": "2021-02", "kwh": "40", "expires": "2026-02"},
        {"month": "2021-03", "kwh": "30", "expires": "2026-03"},
        {"month": "2025-12", "kwh": "20", "expires": "2030-12"},
    ]
    state = {"export": {"month": "2026-02", "ledger": ledger}}

    bill = await issued(client, "b", **MARCH, state=state)

    assert bill["total"] == "45.00"
    kept = (await success(client, "GET", "/v1/contracts/c/state"))["state"]["export"]
    assert (kept["month"], kept["ledger"]) == ("2026-03", [])
    assert kept["last"]["kwh"] == {
        "carried_in": "90",
        "earned": "0",
        "used": "50",
        "expired": "40",
        "lost": "0",
        "paid": "0",
        "carried_out": "0",
    }


async def test_a_bank_is_paid_at_a_rate_of_each_period(client: Client) -> None:
    """Case g03: 4 kWh at peak at 0.12 and 20 off peak at 0.05 are 1.48, which are paid."""
    energy = {**TOU, "rates": {"peak": "0.30", "off": "0.10"}}
    true_up = {"month": 3, "rates": {"peak": "0.12", "off": "0.05"}}
    net = {"kind": "export", "scheme": "net_metering", "true_up": true_up}

    found = await cost(client, tariff(energy, net), {"import": [0] * 4, "export": [4, 0, 0, 20]})

    assert found["total"] == "-1.48"


@pytest.mark.parametrize(
    "charges",
    [
        [{**TOU, "rates": {"peak": "0.31", "off": "0.13"}}],
        [{"kind": "energy.tiered", "tiers": [{"up_to": "99", "rate": "0.10"}, {"rate": "0.17"}]}],
        [FLAT, {**DEMAND, "rate": "3"}, {"kind": "fixed", "amount": "9", "per": "month"}],
    ],
)
async def test_what_it_costs_so_far_is_what_the_window_costs(
    client: Client, charges: list[dict[str, Any]]
) -> None:
    """Case i01: 27 times, nine by each tariff, as readings come and earlier ones are corrected."""
    await site(client)
    await contract(client, tariff(*charges))
    window = {"meter": "m", "tariff": "t", "start": "2026-03-01"}
    differences = []
    for day in range(1, 10):
        hours = [day % 4 + hour / 8 for hour in range(24)]
        await send(client, f"2026-03-{day:02}T00:00:00Z", hours)
        await send(client, f"2026-03-{(day + 1) // 2:02}T19:00:00Z", [day * 1.5])
        to_date = await success(client, "GET", "/v1/contracts/c/to-date?start=2026-03-01")
        body = {**window, "end": f"2026-03-{day + 1:02}"}
        whole = await success(client, "POST", "/v1/costs", body)
        differences.append(Fraction(to_date["total"]) - Fraction(whole["total"]))

    assert differences == [0] * 9


@pytest.mark.parametrize(
    ("supplier", "tolerance", "result"),
    [("0.31", "0.01", "within_tolerance"), ("0.32", "0.01", "mismatch"), ("0.30", "0", "match")],
)
async def test_a_fee_of_the_supplier_may_differ_by_the_tolerance(
    client: Client, supplier: str, tolerance: str, result: str
) -> None:
    """Case j02: a fee of 0.31 against 0.30 is within 0.01."""
    fee = {"kind": "fixed", "code": "fee", "amount": "0.30", "per": "bill"}
    await site(client)
    await contract(client, tariff(fee))
    await issued(client, "b", **MARCH)
    line = {"code": "fee", "description": "Fee", "amount": supplier}
    body = {"lines": [line], "total": supplier, "tolerance": tolerance}

    assert (await success(client, "POST", "/v1/bills/b/check", body))["result"] == result


async def test_what_is_sent_along_costs_what_is_stored(client: Client) -> None:
    """Case m01b: seven tariffs, each with readings and prices that are stored, or sent."""
    rules = [{"period": "peak", "days": ["weekday"], "from": "18:00", "to": "21:00"}]
    rates = {"peak": "0.313", "off": "0.127"}
    tiers = [{"up_to": "2/3", "unit": "kWh/day", "rate": "0.11"}, {"rate": "0.19"}]
    by_day = {"kind": "fixed", "amount": "1", "per": "day"}
    vat = {"kind": "tax", "form": "add_on", "taxes": [{"name": "vat", "rate": "0.21"}]}
    charges: list[list[dict[str, Any]]] = [
        [{**FLAT, "rate": "0.1234"}, {"kind": "fixed", "amount": "5.50", "per": "month"}],
        [{**TOU, "rates": rates, "schedule": {"default": "off", "rules": rules}}, vat],
        [{"kind": "energy.tiered", "code": "e", "tiers": tiers}],
        [{**DEMAND, "rate": "7.77"}, {"kind": "minimum", "amount": "1"}],
        [{"kind": "energy.dynamic", "code": "e", "series": "spot", "adder": "0.03"}],
        [FLAT, {"kind": "export", "scheme": "net_billing", "rate": "0.05"}, vat],
        [FLAT, {"kind": "percent", "percent": "-7.5"}, by_day],
    ]
    zone, start = "Europe/Madrid", "2026-03-28T00:00:00+01:00"
    values = {
        "import": [(hour * 7 % 11) / 8 for hour in range(71)],
        "export": [(hour * 5 % 9) / 16 for hour in range(71)],
    }
    series = {"currency": "EUR", "unit": "kWh", "interval": "PT1H", "timezone": zone}
    prices = {"start": start, "values": [f"{hour % 7 - 1}.05" for hour in range(71)]}
    await site(client, "import", "export", timezone=zone)
    for channel, readings in values.items():
        await send(client, start, readings, channel)
    await success(client, "PUT", "/v1/price-series/spot", series)
    await success(client, "POST", "/v1/price-series/spot/prices", prices)
    sent = {role: {"start": start, "values": of} for role, of in values.items()}
    usage = {"timezone": zone, "interval": "PT1H", "channels": sent}
    window = {"start": "2026-03-28", "end": "2026-03-31"}

    for each in charges:
        body = tariff(*each, timezone=zone)
        await success(client, "PUT", "/v1/tariffs/t", body)
        stored = await success(client, "POST", "/v1/costs", {"tariff": "t", "meter": "m", **window})
        inline = await success(client, "POST", "/v1/costs", {"tariff": body, "usage": usage})
        assert (stored["total"], stored["lines"]) == (inline["total"], inline["lines"])


async def test_prices_of_a_tariff_are_all_in(client: Client) -> None:
    """Case n09: 0.20 by the time of use and 0.01 of the spot, and 20 % on both, are 0.252."""
    energy = {**TOU, "rates": {"peak": "0.30", "off": "0.20"}}
    spot = {"kind": "energy.dynamic", "code": "s", "series": "spot"}
    fee = {"kind": "fixed", "code": "f", "amount": "5", "per": "month"}
    vat = {"kind": "tax", "code": "v", "form": "add_on", "taxes": [{"name": "vat", "rate": "0.20"}]}
    series = {"currency": "EUR", "unit": "MWh", "interval": "PT1H", "timezone": "UTC"}
    hours = {"start": "2026-03-02T00:00:00Z", "values": ["10"] * 24}
    await success(client, "PUT", "/v1/price-series/spot", series)
    await success(client, "POST", "/v1/price-series/spot/prices", hours)
    await success(client, "PUT", "/v1/tariffs/pv", tariff(energy, spot, fee, vat))

    path = "/v1/tariffs/pv/prices?start=2026-03-02&end=2026-03-03"
    found = await success(client, "GET", path)

    assert {run["price"] for run in found["data"] if run["period"] == "off"} == {"0.252"}
    assert {run["price"] for run in found["data"] if run["period"] == "peak"} == {"0.372"}
    (told,) = [each for each in found["assumptions"] if each["code"] == "not_per_unit"]
    assert told["message"].endswith(": f")


async def test_lines_of_a_bill_are_money_where_only_its_total_is_rounded(client: Client) -> None:
    """Case o01: two months of Taipower, 610 kWh, in lines that a parser of decimals reads."""
    summer = {"period": "summer", "season": {"from": "06-01", "to": "09-30"}}
    rates = {"non_summer": ["1.68", "2.16", "3.03"], "summer": ["1.68", "2.45", "3.70"]}
    ladders = {
        period: [{"up_to": "240", "rate": one}, {"up_to": "660", "rate": two}, {"rate": three}]
        for period, (one, two, three) in rates.items()
    }
    schedule = {"default": "non_summer", "rules": [summer]}
    energy = {"kind": "energy.tiered", "code": "e", "schedule": schedule, "rates": ladders}
    zone, rounding = "Asia/Taipei", {"level": "total", "amount_decimals": 0}
    await site(client, timezone=zone)
    await send(client, "2026-05-15T00:00:00+08:00", ([0] * 12 + [10] + [0] * 11) * 61)
    await contract(client, tariff(energy, currency="TWD", timezone=zone, rounding=rounding))

    bill = await issued(client, "b", start="2026-05-15", end="2026-07-15")

    right = ["112.37", "222.73", "290.83", "653.87", "0.20"]
    assert (bill["total"], list(amounts(bill).values())) == ("1280.00", right)


async def test_a_bill_with_taxes_inside_is_checked_as_it_is_printed(client: Client) -> None:
    """Case p01: a bill that agrees to the centavo is a match, though its taxes are told only."""
    taxes = [{"name": "icms", "rate": "0.24"}, {"name": "pis_cofins", "rate": "0.0599"}]
    tax = {"kind": "tax", "form": "inside_product", "show": "information", "taxes": taxes}
    cosip = {"kind": "table", "code": "cosip", "rows": [{"amount": "64.60"}]}
    energy = {**FLAT, "rate": "0.94793"}
    rounding = {"unit_price_decimals": 5}
    await site(client)
    await send(client, "2026-03-01T00:00:00Z", [354] + [0] * 743)
    await contract(client, tariff(energy, tax, cosip, currency="BRL", rounding=rounding))
    bill = await issued(client, "b", **MARCH)
    printed = [
        {"code": "e", "description": "Energia", "quantity": "354", "amount": "469.67"},
        {"code": "cosip", "description": "Contrib. Ilum. Publica", "amount": "64.60"},
    ]

    found = await success(
        client, "POST", "/v1/bills/b/check", {"lines": printed, "total": "534.27"}
    )

    assert amounts(bill) == {
        "e": "469.67",
        "tax.icms": "0.00",
        "tax.pis_cofins": "0.00",
        "cosip": "64.60",
    }
    assert {line["code"]: line["result"] for line in found["lines"]} == {
        "e": "match",
        "tax.icms": "match",
        "tax.pis_cofins": "match",
        "cosip": "match",
    }
    assert (found["result"], found["adds_up"]) == ("match", True)


async def test_tiers_are_filled_in_the_order_of_time(client: Client) -> None:
    """Case u02: 8 kWh off peak, 4 at peak of which 2 fill the tier, 3 more: 0.8 + 0.6 + 1 + 1.5."""
    rates = {
        "off": [{"up_to": "10", "rate": "0.1"}, {"rate": "0.5"}],
        "peak": [{"up_to": "10", "rate": "0.3"}, {"rate": "0.5"}],
    }
    walk = {"kind": "energy.tiered", "scope": "pooled_chronological", "rates": rates}
    schedule = {"default": "off", "rules": [{"period": "peak", "from": "19:00", "to": "21:00"}]}

    found = await cost(client, tariff({**walk, "schedule": schedule}), {"import": [8, 4, 3]})

    assert found["total"] == "3.90"


async def test_a_net_meter_fills_tiers_with_what_is_left(client: Client) -> None:
    """Case u03: 20 - 15 + 3 are 8 kWh, all of them in the first tier."""
    tiers = [{"up_to": "10", "rate": "0.1"}, {"rate": "0.5"}]

    found = await cost(
        client, tariff({"kind": "energy.tiered", "tiers": tiers}), {"import": [20, -15, 3]}
    )

    assert found["total"] == "0.80"


@pytest.mark.parametrize("unit", [{}, {"unit": "m3"}, {"unit": "kWh"}])
async def test_blocks_of_water_are_in_cubic_metres(client: Client, unit: dict[str, str]) -> None:
    """Cases u04 and u04b: of 15 m3 ten are free, and 5 x 6.5 are 32.50, with and without a unit."""
    tiers = [{"up_to": "10", "rate": "0"}, {"rate": "6.5"}]
    water = {"kind": "energy.tiered", "code": "w", "channel": "water_volume.import", "tiers": tiers}

    found = await cost(client, tariff({**water, **unit}), {"water_volume.import": [5, 10]}, "m3")

    assert found["total"] == "32.50"
    assert [(line["quantity"], line["unit"]) for line in found["lines"]] == [
        ("10", "m3"),
        ("5", "m3"),
    ]


async def test_an_estimate_is_replaced_by_what_was_measured(client: Client) -> None:
    """Case v01: 2 estimated hours of 1 kWh become 7 and 1, another one 3 for 1: 56 for 48."""
    await site(client)
    values = [None if hour in (10, 30) else 1 for hour in range(48)]
    await send(client, "2026-03-02T00:00:00Z", values)
    await contract(client, tariff(FLAT))
    old = await issued(client, "old", **TWO_DAYS, missing="estimate")
    for hour, value in ((10, 7), (30, 1), (40, 3)):
        await send(client, f"2026-03-{2 + hour // 24:02}T{hour % 24:02}:00:00Z", [value])
    (told,) = (await success(client, "GET", "/v1/bills?affected=true"))["items"]

    new = await issued(client, "new", corrects="old")

    assert (old["total"], new["total"], new["difference"]) == ("48.00", "56.00", "8.00")
    assert told["impact"]["difference"] == "8.00"
