"""Net billing and buy-all-sell-all: exports are sold."""

from typing import Any

import pytest

from energia.errors import Invalid
from tests.core.pricing.documents import line
from tests.plugins.export.sites import (
    FLAT,
    SCHEDULE,
    TOU,
    amounts,
    bill,
    export,
    last,
    ledger,
    steps,
)


def sells(**fields: Any) -> dict[str, Any]:
    """Return net billing at 0.05, or at another price."""
    price = {} if {"rates", "tiers", "like_import"} & set(fields) else {"rate": "0.05"}
    return export("net_billing", **price, **fields)


def sells_at(rate: str, **fields: Any) -> dict[str, Any]:
    """Return net billing at a rate."""
    return export("net_billing", rate=rate, **fields)


def test_exports_are_sold_and_imports_are_bought() -> None:
    """3 x 0.30 are bought, 2 x 0.05 are sold."""
    found = bill([FLAT, sells()], [3, 0], [0, 2])

    assert amounts(found) == {"energy": "0.9", "export": "-0.1"}
    sold = line(found, "export")
    assert (sold.quantity, sold.rate, sold.unit) == ("-2", "0.05", "kWh")


def test_gross_channels_are_netted_in_each_interval() -> None:
    """Of 3 kWh of load 2 are generated at the time: 1 is bought, and 1 of the next hour sold."""
    found = bill([FLAT, sells()], [3, 0], [2, 1])

    assert amounts(found) == {"energy": "0.9", "export.energy": "-0.6", "export": "-0.05"}
    assert steps(found, "export.energy") == [("as imported", "-3"), ("left to be charged", "1")]


def test_channels_that_are_netted_already_stay_as_they_are() -> None:
    """Net channels and gross channels give one total."""
    gross = bill([FLAT, sells()], [3, 0, 5], [2, 1, 1])
    net = bill([FLAT, sells()], [1, 0, 4], [0, 1, 0])

    assert gross.total == net.total == "1.45"


def test_hours_net_more_than_quarters() -> None:
    """1 kWh in and 2 out within an hour leave 1 kWh out."""
    quarters, hour = ([1, 0, 0, 0], [0, 0, 2, 0])
    by_interval = bill([FLAT, sells()], *quarters_of(quarters, hour), interval=900)
    by_hour = bill([FLAT, sells(netting="hour")], *quarters_of(quarters, hour), interval=900)

    assert (by_interval.total, by_hour.total) == ("0.2", "-0.05")


def quarters_of(imported: list[int], exported: list[int]) -> tuple[list[int], list[int]]:
    """Return both channels."""
    return imported, exported


def test_hours_are_those_of_the_clock() -> None:
    """An import at 00:45 is not netted with an export at 01:00."""
    found = bill([FLAT, sells(netting="hour")], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1], interval=900)

    assert found.total == "0.25"


def test_netted_energy_costs_what_its_period_costs() -> None:
    """Netting saves 0.50 at peak and 0.20 off it."""
    found = bill([TOU, sells()], [2, 2], [1, 1])

    assert amounts(found) == {
        "energy.peak": "1",
        "energy.off": "0.4",
        "export.energy.peak": "-0.5",
        "export.energy.off": "-0.2",
    }


def test_each_period_has_its_price() -> None:
    """By a schedule of the charge, or by the periods of the energy charge."""
    rates = {"peak": "0.10", "off": "0.02"}
    own = bill([FLAT, sells(schedule=SCHEDULE, rates=rates)], [0, 0], [3, 1])
    of_energy = bill([TOU, sells(rates=rates)], [0, 0], [3, 1])

    for found in (own, of_energy):
        assert amounts(found) == {"export.off": "-0.06", "export.peak": "-0.1"}


def test_tiers_count_what_is_sold_in_the_bill() -> None:
    """10 at 0.10 and 2 at 0.20."""
    tiers = [{"up_to": "10", "rate": "0.10"}, {"rate": "0.20"}]
    found = bill([FLAT, sells(tiers=tiers)], [0, 0], [5, 7])

    assert amounts(found) == {"export.tier1": "-1", "export.tier2": "-0.4"}


def test_what_is_sold_may_be_worth_what_is_bought() -> None:
    """Peak sells at 0.50, off peak at 0.20."""
    found = bill([TOU, sells(like_import=True)], [0, 0], [3, 1])

    assert amounts(found) == {"export.sold.energy.off": "-0.6", "export.sold.energy.peak": "-0.5"}


def test_a_bill_may_end_below_zero_unless_there_is_a_limit() -> None:
    """10 kWh are sold for 0.50 where 0.30 are due for energy and 0.10 for the meter."""
    charges = [{"kind": "fixed", "amount": "0.10", "per": "day"}, FLAT]
    totals = {
        limit: bill([*charges, sells(limit=limit)], [1, 0], [0, 10])
        for limit in ("none", "energy", "bill")
    }

    assert {limit: found.total for limit, found in totals.items()} == {
        "none": "-0.1",
        "energy": "0.1",
        "bill": "0",
    }
    assert amounts(totals["energy"])["export.lost"] == "0.2"
    assert steps(totals["energy"], "export.lost") == [("more than the limit", "0.2")]


def test_money_is_carried_over() -> None:
    """0.20 of March are used in April, with 0.05 of its own."""
    carries = sells(rollover="money")
    march = bill([FLAT, carries], [1, 0], [0, 10])
    april = bill([FLAT, carries], [1, 0], [0, 1], "2026-04", march.state)

    assert (march.total, april.total) == ("0", "0.05")
    assert ledger(march) == [{"month": "2026-03", "money": "0.2"}]
    assert amounts(april) == {"energy": "0.3", "export.credit": "-0.2", "export": "-0.05"}
    assert last(april, "money") == {"carried_in": "0.2", "earned": "0.05", "used": "0.25"}


def test_what_is_earned_may_be_for_the_next_bill() -> None:
    """March pays 0.30 whatever it earns; April has 0.50."""
    carries = sells(rollover="money", apply="next_bill")
    march = bill([FLAT, carries], [1, 0], [0, 10])
    april = bill([FLAT, carries], [1, 0], [0, 10], "2026-04", march.state)

    assert (march.total, april.total) == ("0.3", "0")
    assert ledger(april) == [
        {"month": "2026-03", "money": "0.2"},
        {"month": "2026-04", "money": "0.5"},
    ]


def test_money_is_what_the_rounded_rate_makes_it() -> None:
    """Rates of two decimals: 10 kWh at 0.046 are 0.50, of which 0.20 are left."""
    carries = sells_at("0.046", rollover="money")
    rounding = {"unit_price_decimals": 2, "amount_decimals": None}
    found = bill([FLAT, carries], [1, 0], [0, 10], rounding=rounding)

    assert found.total == "0"
    assert ledger(found) == [{"month": "2026-03", "money": "0.2"}]


def test_money_expires() -> None:
    """Money of March that lasts a month is gone in May."""
    carries = sells(rollover="money", expires_after=1)
    state = bill([FLAT, carries], [0, 0], [0, 10]).state
    may = bill([FLAT, carries], [1, 0], [0, 0], "2026-05", state)

    assert may.total == "0.3"
    assert last(may, "money") == {"carried_in": "0.5", "expired": "0.5"}


def test_all_is_bought_and_all_is_sold() -> None:
    """Nothing is netted: 3 kWh are bought at the time 2 are sold."""
    found = bill([FLAT, export("buy_all_sell_all", rate="0.05")], [3], [2])

    assert amounts(found) == {"energy": "0.9", "export": "-0.1"}


def test_energy_that_costs_to_export_is_charged() -> None:
    """A price below zero adds to the bill, limit or not."""
    paying = export("net_billing", rate="-0.01", rollover="money", apply="next_bill")
    found = bill([FLAT, paying], [1, 0], [0, 10])

    assert found.total == "0.4"


def test_channels_of_different_intervals_cannot_be_netted() -> None:
    """Slots are set against each other."""
    from energia.pricing.engine import price
    from tests.core.pricing.documents import series
    from tests.plugins.export.sites import read

    start = 1_772_323_200
    usage = {"import": series(start, 3600, [1]), "export": series(start, 900, [1] * 4)}
    with pytest.raises(Invalid) as refused:
        price(read([FLAT, sells()]), usage, start, start + 3600)

    assert [fault.code for fault in refused.value.faults] == ["different_intervals"]
