"""The month in which the bank is settled."""

from typing import Any

import pytest

from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff
from tests.core.pricing.documents import faults, instant, line, series
from tests.plugins.export.sites import (
    CONVERTER,
    FLAT,
    SCHEDULE,
    TOU,
    amounts,
    bill,
    export,
    last,
    ledger,
    read,
)

BANK = {"export": {"month": "2026-02", "ledger": [{"month": "2026-01", "kwh": "10"}]}}
MONEY = {"export": {"month": "2026-02", "ledger": [{"month": "2026-01", "money": "10"}]}}
RATE = {"month": 3, "rate": "0.04"}


def test_what_remains_is_paid() -> None:
    """10 kWh less 2 that are used, and 1 that is over, at 0.04; the line can be told apart."""
    found = bill([FLAT, export("net_metering", true_up=RATE)], [2], [0], state=BANK)

    assert amounts(found) == {"energy": "0.6", "export.energy": "-0.6", "export.true_up": "-0.32"}
    assert line(found, "export.true_up").quantity == "-8"
    assert ledger(found) == []
    assert last(found, "kwh") == {"carried_in": "10", "used": "2", "paid": "8"}


def autumn(begins: str, imported: int) -> Cost:
    """Price ten days from 25 September 2026; another version *begins* within.

    10 kWh are exported on the first day, and so many imported on the last; October settles.
    """
    net = export("net_metering", true_up={"month": 10, "rate": "0.03"})
    versions = [
        {"valid_from": first, "valid_to": last, "charges": [{**FLAT, "rate": "0.20"}, net]}
        for first, last in (("2020-01-01", begins), (begins, None))
    ]
    start = instant("2026-09-25T00:00:00Z")
    hours = {"import": [0] * 239 + [imported * 10**6], "export": [10**7] + [0] * 239}
    usage = {role: series(start, 3600, values) for role, values in hours.items()}
    document = {"name": "t", "currency": "USD", "timezone": "UTC", "versions": versions}
    return price(CONVERTER.structure(document, Tariff), usage, start, start + 240 * 3600)


@pytest.mark.parametrize("begins", ["2026-09-28", "2026-10-01", "2026-10-03"])
def test_a_bill_across_versions_is_settled_at_its_end(begins: str) -> None:
    """What the first part exports offsets what the second imports: nothing is paid at 0.03."""
    assert autumn(begins, 10).total == "0.00"


@pytest.mark.parametrize("begins", ["2026-09-28", "2026-10-01", "2026-10-03"])
def test_a_month_that_came_with_an_earlier_part_is_settled(begins: str) -> None:
    """6 kWh are left at the end of the bill, and paid 0.18, wherever versions change in it."""
    found = autumn(begins, 4)

    assert (found.total, found.state["export"]["month"]) == ("-0.18", "2026-10")
    assert ledger(found) == []


def test_it_may_become_credit_in_money() -> None:
    """8 kWh are 0.32, of which April uses 0.30."""
    net = export("net_metering", true_up={**RATE, "pay": "credit"})
    march = bill([FLAT, net], [2], [0], state=BANK)
    april = bill([FLAT, net], [1], [0], "2026-04", march.state)

    assert (march.total, april.total) == ("0", "0")
    assert ledger(march) == [{"month": "2026-03", "money": "0.32"}]
    assert ledger(april) == [{"month": "2026-03", "money": "0.02"}]


@pytest.mark.parametrize("rollover", ["kwh", "money"])
def test_it_may_be_lost(rollover: str) -> None:
    """Nothing is paid, and the next bill has nothing."""
    price = {"rate": "0.05"} if rollover == "money" else {}
    net = export("net_metering", rollover=rollover, true_up={"month": 3, "pay": "lost"}, **price)
    found = bill([FLAT, net], [0], [0], state=BANK if rollover == "kwh" else MONEY)

    assert found.total == "0"
    assert ledger(found) == []
    assert last(found, rollover)["lost"] == "10"


def test_money_is_paid_as_it_is() -> None:
    """10 less 0.30 that are used."""
    net = export("net_metering", rollover="money", rate="0.05", true_up={"month": 3})
    found = bill([FLAT, net], [1], [0], state=MONEY)

    assert amounts(found)["export.true_up"] == "-9.7"
    assert ledger(found) == []


def test_the_net_of_all_periods_may_be_what_is_paid() -> None:
    """5 kWh off peak are in the bank; less 2 that were imported at peak, 3 are paid."""
    net = export("net_metering", true_up={**RATE, "basis": "net"})
    february = bill([TOU, net], [0, 2], [4, 0], "2026-02")
    march = bill([TOU, net], [0, 0], [1, 0], "2026-03", february.state)

    assert february.state["export"]["net"] == "2"
    assert line(march, "export.true_up").quantity == "-3"
    assert march.state["export"]["net"] == "0"


@pytest.mark.parametrize(
    ("before", "month", "due"),
    [
        ("2026-02", "2026-03", True),
        ("2026-03", "2026-04", False),
        ("2026-01", "2026-04", True),
        ("2026-03", "2026-03", False),
        ("2025-12", "2026-02", False),
        ("2020-04", "2026-02", True),
    ],
)
def test_it_is_due_in_the_first_bill_since_the_month(before: str, month: str, due: bool) -> None:
    """A bill that skips the month settles all the same, and a month is settled once."""
    state: Any = {"export": {"month": before, "ledger": [{"month": "2020-01", "kwh": "10"}]}}
    found = bill([FLAT, export("net_metering", true_up=RATE)], [0], [0], month, state)

    assert ("export.true_up" in amounts(found)) is due


def test_a_first_bill_is_settled_in_its_own_month() -> None:
    """Without a bill before, its months count."""
    net = export("net_metering", true_up=RATE)

    assert bill([FLAT, net], [0], [5]).total == "-0.2"
    assert bill([FLAT, net], [0], [5], "2026-04").total == "0"


def test_each_period_may_have_a_rate_of_its_own() -> None:
    """20 kWh off peak at 0.05 and 4 at peak at 0.12 are 1.48 (case g03)."""
    net = export("net_metering", true_up={"month": 3, "rates": {"off": "0.05", "peak": "0.12"}})

    found = bill([TOU, net], [0, 0], [20, 4])

    assert amounts(found) == {"export.off.true_up": "-1", "export.peak.true_up": "-0.48"}
    assert found.total == "-1.48"
    assert line(found, "export.peak.true_up").quantity == "-4"
    assert ledger(found) == []


def test_periods_may_become_credit_at_their_rates() -> None:
    """The next bill uses 1.00 of 1.48."""
    rates = {"off": "0.05", "peak": "0.12"}
    net = export("net_metering", true_up={"month": 3, "rates": rates, "pay": "credit"})
    march = bill([TOU, net], [0, 0], [20, 4])
    april = bill([TOU, net], [5, 0], [0, 0], "2026-04", march.state)

    assert (march.total, april.total) == ("0", "0")
    assert ledger(april) == [{"month": "2026-03", "money": "0.48"}]


def test_energy_without_a_period_is_not_paid_by_period() -> None:
    """Nobody can say which rate the energy of a flat tariff has."""
    net = export("net_metering", true_up={"month": 3, "rates": {"off": "0.05", "peak": "0.12"}})

    assert faults(lambda: bill([FLAT, net], [0], [3])) == {None: "missing_rate"}


@pytest.mark.parametrize(
    ("true_up", "expected"),
    [
        ({"rates": {"off": "1"}}, {"/true_up/rates/peak": "missing_rate"}),
        (
            {"rates": {"off": "1", "peak": "1", "night": "1"}},
            {"/true_up/rates/night": "unknown_period"},
        ),
        ({"rate": "1", "rates": {"off": "1"}}, {"/true_up/rates": "rate_or_rates"}),
        ({"rates": {"off": "1"}, "basis": "net"}, {"/true_up/rates": "rate_or_rates"}),
    ],
)
def test_rates_of_a_true_up_fit_the_schedule(
    true_up: dict[str, Any], expected: dict[str, str]
) -> None:
    """Each period has one, and a net of all periods has none."""
    net = export("net_metering", schedule=SCHEDULE, true_up={"month": 3, **true_up})
    found = faults(lambda: read([TOU, net]))

    assert found == {f"/versions/0/charges/1{pointer}": code for pointer, code in expected.items()}
