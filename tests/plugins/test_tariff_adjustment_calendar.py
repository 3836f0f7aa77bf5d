"""The charge `adjustment.calendar`, with its plugin and those of what it adjusts."""

from fractions import Fraction
from typing import Any

import attrs
import pytest

from energia.plugins import Plugins
from energia.pricing.engine import price
from energia_plugins import (
    tariff_adjustment_calendar,
    tariff_minimum,
    tariff_percent,
    tariff_tiered,
)
from tests.core.pricing.documents import faults, instant, line, series
from tests.plugins.adjusting import PEAK, Bills, exacts, rate_steps, steps

BILLS = Bills(tariff_adjustment_calendar)
CODE = "adjustment.calendar"
FLAT = {"kind": "energy.flat", "rate": "0.94793"}
#: Brazil's bandeiras of 2026 in R$/kWh, as its regulator announced them.
BANDEIRAS = {"2026-07": "0.01885", "2026-08": "0.01885", "2026-09": "0.01885", "2026-10": "0"}
AT_FIVE = {"unit_price_decimals": 5}


def adjustment(**fields: Any) -> dict[str, Any]:
    """Return the charge."""
    return {"kind": CODE, **fields}


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    found = Plugins.of(tariff_adjustment_calendar=tariff_adjustment_calendar).charges()

    assert list(found) == [CODE]


def test_the_energy_counts_by_the_days_of_each_month() -> None:
    """Light, October 2026: 27 of 33 days are September's, with the yellow flag."""
    found = BILLS.of([adjustment(months=BANDEIRAS)], 354, ("2026-09-04", "2026-10-07"))

    assert [(one.code, one.rate) for one in found.lines] == [
        (f"{CODE}.2026-09", "0.01885"),
        (f"{CODE}.2026-10", "0"),
    ]
    assert exacts(found)[f"{CODE}.2026-09"] == 354 * Fraction(27, 33) * Fraction("0.01885")
    assert steps(found, f"{CODE}.2026-09") == [("354 x 27/33", 354 * Fraction(27, 33))]


@pytest.mark.parametrize(
    ("days", "rate"),
    [(("2026-07-04", "2026-08-06"), "0.96678"), (("2026-09-04", "2026-10-07"), "0.96335")],
)
def test_prices_with_the_bandeira_inside(days: tuple[str, str], rate: str) -> None:
    """Light prints its price with the flag of the days of each month, at five decimals."""
    charges = [FLAT, adjustment(months=BANDEIRAS, form="inside", of={})]
    found = BILLS.of(charges, 304, days, rounding=AT_FIVE)

    assert line(found, "energy.flat").rate == rate


def test_a_rate_inside_is_explained() -> None:
    """By the days, and by what it was before."""
    charges = [FLAT, adjustment(months=BANDEIRAS, form="inside", of={}, description="Bandeira")]
    found = BILLS.of(charges, 354, ("2026-09-04", "2026-10-07"))

    assert rate_steps(found, "energy.flat") == (
        "Bandeira (27/33 x 0.01885 + 6/33 x 0): "
        "0.94793 + 3393/220000 = 132461/137500, about 0.963353",
    )


def test_copels_bill_of_34_days() -> None:
    """27 days of one month and 7 of the next: green in April, yellow in May."""
    flags = {"2026-04": "0", "2026-05": "0.01885"}
    found = BILLS.of([adjustment(months=flags, form="line")], 340, ("2026-04-04", "2026-05-08"))

    assert exacts(found) == {CODE: 70 * Fraction("0.01885")}
    assert line(found, CODE).quantity == "340"
    assert rate_steps(found, CODE) == ("27/34 x 0 + 7/34 x 0.01885",)


def test_energy_may_count_where_it_was_metered() -> None:
    """The last hour of March and the first of April, on the clock of the tariff."""
    months = {"2026-03": "1", "2026-04": "10"}
    tariff = BILLS.tariff([adjustment(months=months, proration="metered")])
    start, end = (BILLS.midnight(day) for day in ("2026-03-31", "2026-04-02"))
    usage = BILLS.usage(start, end, [0] * 23 + [3, 5])
    found = price(tariff, {"import": usage}, start, end)

    assert exacts(found) == {f"{CODE}.2026-03": 3, f"{CODE}.2026-04": 50}


def test_a_slot_across_a_month_is_of_its_start_and_told() -> None:
    """Half-hourly zones and hourly readings."""
    bills = Bills(tariff_adjustment_calendar, "+05:30")
    months = {"2026-03": "1", "2026-04": "10"}
    tariff = bills.tariff([adjustment(months=months, proration="metered")])
    start, end = instant("2026-03-31T18:00:00Z"), instant("2026-03-31T20:00:00Z")
    usage = series(start, 3600, [2_000_000, 3_000_000])
    found = price(tariff, {"import": usage}, start, end)

    assert exacts(found) == {f"{CODE}.2026-03": 2, f"{CODE}.2026-04": 30}
    told = {one.code: one.slots for one in found.assumptions}
    assert told["boundary_inside_interval"] == 1


def test_lines_of_periods_all_have_the_rate_inside() -> None:
    """Energy of three periods is all energy."""
    tou = {"kind": "energy.time_of_use", "schedule": PEAK, "rates": {"peak": "2", "off": "1"}}
    charges = [tou, adjustment(months={"2026-03": "0.5"}, form="inside", of={})]
    found = BILLS.over(charges, ("2026-03-01", "2026-03-02"), [60] + [0] * 17 + [40])

    assert [one.rate for one in found.lines] == ["2.5", "1.5"]


@pytest.mark.parametrize(
    ("of", "code"),
    [({"charges": ["parts"]}, "selection_differs"), ({"charges": ["fixed"]}, "selection_differs")],
)
def test_a_rate_inside_twice_or_nowhere_is_refused(of: dict[str, Any], code: str) -> None:
    """Two components would both have it; a fixed amount has no price per unit."""
    parts: dict[str, Any] = {
        "kind": "energy.flat",
        "code": "parts",
        "components": {"te": "0.30", "tusd": "0.50"},
    }
    fixed = {"kind": "fixed", "amount": "10", "per": "month"}
    charges = [parts, fixed, adjustment(months=BANDEIRAS, form="inside", of=of)]

    found = faults(lambda: BILLS.of(charges, 10, ("2026-08-01", "2026-09-01")))
    assert found == {None: code}


def test_one_component_may_have_it_inside() -> None:
    """The bandeira is added to the TE."""
    parts = {"kind": "energy.flat", "components": {"te": "0.30", "tusd": "0.50"}}
    of = {"components": ["te"]}
    charges = [parts, adjustment(months=BANDEIRAS, form="inside", of=of)]
    found = BILLS.of(charges, 10, ("2026-08-01", "2026-09-01"))

    assert [one.rate for one in found.lines] == ["0.31885", "0.50"]


def test_ranges_have_any_dates() -> None:
    """A fuel adjustment that changes on the tenth; each part is named by its first day."""
    ranges = [
        {"from": "2026-01-10", "to": "2026-03-10", "rate": "1"},
        {"from": "2026-03-10", "rate": "2"},
    ]
    found = BILLS.of([adjustment(ranges=ranges)], 31)

    assert exacts(found) == {f"{CODE}.2026-01-10": 9, f"{CODE}.2026-03-10": 44}


@pytest.mark.parametrize("proration", ["days", "metered"])
def test_a_month_that_is_missing_is_refused_by_its_name(proration: str) -> None:
    """No rate is made up."""
    charges = [adjustment(months=BANDEIRAS, proration=proration)]
    tariff = BILLS.tariff(charges)
    start, end = (BILLS.midnight(day) for day in ("2026-10-20", "2026-11-05"))

    def work() -> object:
        return price(tariff, {"import": BILLS.usage(start, end, [1])}, start, end)

    with pytest.raises(Exception, match=r"adjustment\.calendar has no rate for 2026-11"):
        work()
    assert faults(work) == {None: "missing_month"}


def test_a_default_fills_gaps() -> None:
    """It is the rate of every date without one."""
    charges = [adjustment(months={"2026-04": "2"}, default="1")]
    found = BILLS.of(charges, 61, ("2026-03-01", "2026-05-01"))

    assert exacts(found) == {f"{CODE}.2026-03": 31, f"{CODE}.2026-04": 60}


def test_no_energy_costs_nothing() -> None:
    """Also where the energy of each month counts."""
    charges = [adjustment(months=BANDEIRAS, proration="metered", form="line")]

    assert exacts(BILLS.of(charges, 0, ("2026-08-15", "2026-09-15"))) == {CODE: 0}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"/months": "months_or_ranges"}),
        (
            {"months": BANDEIRAS, "ranges": [{"from": "2026-01-01", "rate": "1"}]},
            {"/months": "months_or_ranges"},
        ),
        ({"months": {"2026-13": "1"}}, {"/months/2026-13": "bad_pattern"}),
        ({"months": BANDEIRAS, "form": "inside"}, {"/of": "missing_field"}),
        ({"months": BANDEIRAS, "of": {}}, {"/of": "unused_field"}),
        (
            {"ranges": [{"from": "2026-01-02", "to": "2026-01-02", "rate": "1"}]},
            {"/ranges/0/to": "empty_range"},
        ),
        (
            {
                "ranges": [
                    {"from": "2026-01-01", "rate": "1"},
                    {"from": "2026-02-01", "rate": "1"},
                ]
            },
            {"/ranges/1/from": "ranges_overlap"},
        ),
    ],
)
def test_what_contradicts_itself_is_refused(
    fields: dict[str, Any], expected: dict[str, str]
) -> None:
    """The place is told when the tariff is saved."""
    found = faults(lambda: BILLS.tariff([FLAT, adjustment(**fields)]))

    assert found == {f"/versions/0/charges/1{at}": code for at, code in expected.items()}


# Ranges that are called something, on lines that are charged.

#: Yellow, then green, then yellow again.
FLAGS = [
    {"name": "yellow", "from": "2026-03-01", "to": "2026-03-11", "rate": "0.02"},
    {"name": "green", "from": "2026-03-11", "to": "2026-03-21", "rate": "0"},
    {"name": "yellow", "from": "2026-03-21", "to": "2026-04-01", "rate": "0.02"},
]
BLOCKS = {
    "kind": "energy.tiered",
    "code": "energy",
    "tiers": [{"up_to": "60", "rate": "0.1", "tags": ["low"]}, {"rate": "0.2", "tags": ["high"]}],
}


def test_ranges_of_one_name_are_one_line() -> None:
    """10 and 11 of 31 days are yellow; what costs nothing is left out where that is said."""
    plain = BILLS.of([adjustment(ranges=FLAGS)], 310)
    short = BILLS.of([adjustment(ranges=FLAGS, zeros="none")], 310)

    assert exacts(plain) == {f"{CODE}.yellow": 210 * Fraction("0.02"), f"{CODE}.green": 0}
    assert exacts(short) == {f"{CODE}.yellow": 210 * Fraction("0.02")}
    assert steps(short, f"{CODE}.yellow") == [("310 x (10/31 + 11/31)", 210)]


def test_a_name_whose_rate_changes_has_a_line_for_each() -> None:
    """The later one says from when."""
    dearer = [*FLAGS[:2], {**FLAGS[2], "rate": "0.03"}]

    found = BILLS.of([adjustment(ranges=dearer, zeros="none")], 310)

    assert exacts(found) == {
        f"{CODE}.yellow": 2,
        f"{CODE}.yellow.2026-03-21": Fraction("3.3"),
    }


def test_all_energy_may_be_at_a_share_of_the_rate() -> None:
    """310 kWh at 21/31 of 0.02 cost what 210 kWh do at 0.02."""
    found = BILLS.of([adjustment(ranges=FLAGS, zeros="none", share_of="rate")], 310)

    assert line(found, f"{CODE}.yellow").quantity == "310"
    assert exacts(found) == {f"{CODE}.yellow": Fraction("4.2")}
    assert rate_steps(found, f"{CODE}.yellow") == ("(10/31 + 11/31) x 0.02",)


def test_each_of_other_lines_may_have_one() -> None:
    """With the tags of the line that it is on, so that taxes tell them apart."""
    bills = Bills(tariff_adjustment_calendar, others={"tiered": tariff_tiered})
    of = {"charges": ["energy"]}
    charges = [BLOCKS, adjustment(ranges=FLAGS, zeros="none", form="line_each", of=of)]
    high = {"kind": "percent", "percent": "100", "form": "inside", "of": {"tags": ["high"]}}

    found = attrs.evolve(bills, others={**bills.others, "percent": tariff_percent}).of(
        [*charges, high], 310
    )

    assert exacts(found) == {
        "energy.tier1": 6,
        "energy.tier2": 100,
        f"{CODE}.yellow.energy.tier1": 60 * Fraction(21, 31) * Fraction("0.02"),
        f"{CODE}.yellow.energy.tier2": 250 * Fraction(21, 31) * Fraction("0.04"),
    }


@pytest.mark.parametrize(
    ("form", "amounts"),
    [
        ("lines", {"energy.flat": 15, f"{CODE}.yellow": Fraction("0.6")}),
        ("line", {"energy.flat": 15, CODE: Fraction("0.6")}),
        ("inside", {"energy.flat": Fraction("15.6")}),
    ],
)
def test_it_may_be_on_what_is_charged(form: str, amounts: dict[str, Fraction]) -> None:
    """30 kWh at the least, where 12 were metered: a rate inside stays one of a unit."""
    of = {"charges": ["energy.flat"]}
    charges: list[dict[str, Any]] = [
        {"kind": "energy.flat", "rate": "0.5"},
        {"kind": "minimum", "quantity": "30", "of": of, "form": "replace"},
        adjustment(ranges=FLAGS[:1], form=form, energy="charged", of=of),
    ]

    found = Bills(tariff_adjustment_calendar, others={"minimum": tariff_minimum}).of(
        charges, 12, ("2026-03-01", "2026-03-11")
    )

    assert exacts(found) == amounts
