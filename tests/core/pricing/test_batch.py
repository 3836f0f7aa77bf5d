"""Batches: many meters in one call, each as if it were alone."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia import BillSoFar, Determinant, Line, Measured, Term
from energia.costing.groups import price_groups
from energia.errors import IncompleteUsage, Invalid, TooLarge
from energia.metering.series import MISSING, Series
from energia.pricing import batch, program
from energia.pricing.allowance import Allowance
from energia.pricing.cost import Cost
from energia.pricing.engine import price, price_batch, price_chains, priced
from energia.pricing.segments import segments
from energia.pricing.slots import Assumption
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import ChannelSeries, Terms, Usage
from energia.testing import Pricing
from energia.time import Zone
from energia_plugins.tariff_flat import Flat

SCHEDULE = {
    "default": "rest",
    "rules": [
        {"period": "peak", "days": ["weekday"], "from": "17:30", "to": "20:30"},
        {"period": "night", "from": "23:00", "to": "06:00"},
    ],
}
SEASONS = {
    "default": "winter",
    "rules": [{"period": "summer", "season": {"from": "03-11", "to": "08-31"}}],
}
LADDER = [{"up_to": "30", "rate": "0.1"}, {"up_to": "90.5", "rate": "0.15"}, {"rate": "0.22"}]
CHARGES: tuple[Mapping[str, Any], ...] = (
    {"kind": "energy.flat", "rate": "0.15"},
    {"kind": "energy.flat", "code": "parts", "components": {"te": "0.30200", "tusd": "-0.57856"}},
    {
        "kind": "energy.time_of_use",
        "schedule": SCHEDULE,
        "rates": {"peak": "0.42", "night": {"components": {"a": "0.1", "b": "0"}}, "rest": "0.19"},
    },
    {"kind": "energy.tiered", "tiers": LADDER},
    {"kind": "energy.tiered", "code": "monthly", "reset": "month", "tiers": LADDER},
    {"kind": "energy.tiered", "code": "daily", "unit": "kWh/day", "reset": "day", "tiers": LADDER},
    {
        "kind": "energy.tiered",
        "code": "seasons",
        "reset": "month",
        "schedule": SEASONS,
        "rates": {"winter": LADDER, "summer": LADDER},
    },
    {
        "kind": "energy.tiered",
        "code": "apart",
        "scope": "per_period",
        "schedule": SCHEDULE,
        "rates": {"peak": LADDER, "night": LADDER, "rest": LADDER},
    },
    {"kind": "demand", "rate": "6.5", "interval": "PT1H"},
    {
        "kind": "demand",
        "code": "monthly_demand",
        "reset": "month",
        "interval": "PT1H",
        "schedule": SCHEDULE,
        "rates": {"peak": "4.25", "rest": {"components": {"a": "1", "b": "2"}}, "night": "0"},
    },
    {"kind": "demand", "code": "days", "reset": "day", "rate": "0.1", "interval": "PT1H"},
    {"kind": "demand", "code": "hp", "unit": "hp", "rate": "3", "interval": "PT1H"},
    {
        "kind": "demand",
        "code": "kVA",
        "unit": "kVA",
        "power_factor": "0.92",
        "losses_percent": "1.5",
        "reset": "season",
        "schedule": SEASONS,
        "rates": {"winter": "1", "summer": "2"},
        "interval": "PT1H",
    },
    {"kind": "fixed", "amount": "10.00", "per": "month"},
    {"kind": "fixed", "code": "by_day", "amount": "0.45", "per": "day"},
)
ROUNDINGS: tuple[Mapping[str, Any], ...] = (
    {},
    {"amount_decimals": None},
    {"unit_price_decimals": 2, "mode": "half_even"},
    {"amount_decimals": 0, "mode": "down"},
    {"level": "total"},
)
PRICING = Pricing.of()


def one_by_one(
    tariff: Tariff, usage: Usage, start: int, end: int, allowance: Allowance | None = None
) -> Cost:
    """Return what the charges themselves charge of one meter."""
    terms = Terms(allowance=allowance)
    cut = segments(tariff, usage, start, end, terms)
    return priced(tariff.currency, cut, terms.state, allowance=terms.allowance)


def loads(start: int, end: int, interval: int, seeds: Sequence[int]) -> list[Usage]:
    """Return meters with readings from two days before the window until two days after it."""
    begins = start - 2 * 86_400
    count = (end - begins + 2 * 86_400) // interval
    usages: list[Usage] = []
    for seed in seeds:
        numbers = np.random.default_rng(seed)
        values = numbers.integers(0, 1 + seed % 7 * 1_000_000, count)
        usages.append({"import": Series(begins, interval, values, np.ones(count, np.int8))})
    return usages


def programs(tariff: Tariff, usage: Usage, start: int, end: int) -> program.Program | None:
    """Return the program of the tariff's one version in a window."""
    (version,) = tariff.versions
    found = batch.readings(usage, version.roles, start, end)
    assert found is not None
    window = program.Window(start, end, tariff.zone, tariff.currency, found[1])
    return batch.compiled_program(version, window)


@given(
    charges=st.lists(st.sampled_from(CHARGES), min_size=1, max_size=4, unique_by=repr),
    rounding=st.sampled_from(ROUNDINGS),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu"]),
    first=st.dates(date(2026, 1, 20), date(2026, 3, 20)),
    days=st.integers(1, 60),
    interval=st.sampled_from([900, 1800, 3600]),
    seeds=st.lists(st.integers(0, 10**6), min_size=2, max_size=4),
    times=st.sampled_from([1, 40]),
)
def test_each_meter_of_a_batch_costs_what_it_costs_alone(
    charges: list[Mapping[str, Any]],
    rounding: Mapping[str, Any],
    zone: str,
    first: date,
    days: int,
    interval: int,
    seeds: list[int],
    times: int,
) -> None:
    """Lines, totals, assumptions, steps and what was measured are those of the charges.

    Few are written one by one, many at once.
    """
    coded = [{"code": f"charge{at}", **charge} for at, charge in enumerate(charges)]
    tariff = PRICING.tariff(coded, zone=zone, rounding=rounding)
    start = Zone.named(zone).midnight(first)
    end = Zone.named(zone).midnight(date.fromordinal(first.toordinal() + days))
    usages = loads(start, end, interval, seeds)

    found = price_batch(tariff, usages * times, start, end)

    assert found == [one_by_one(tariff, usage, start, end) for usage in usages] * times


@pytest.mark.parametrize("charge", CHARGES, ids=lambda charge: charge.get("code") or charge["kind"])
def test_charges_by_their_own_measures_have_programs(charge: Mapping[str, Any]) -> None:
    """A batch of them is no loop over meters."""
    tariff = PRICING.tariff([charge], zone="UTC")
    start, end = (Zone.named("UTC").midnight(date(2026, month, 1)) for month in (2, 3))
    (usage,) = loads(start, end, 900, [1])

    assert programs(tariff, usage, start, end) is not None


def window() -> tuple[int, int]:
    """Return March 2026."""
    start, end = (Zone.named("UTC").midnight(date(2026, month, 1)) for month in (3, 4))
    return start, end


def test_a_price_that_is_asked_for_again_is_the_same() -> None:
    """The first time the charges are asked, then a program is made, then it is at hand."""
    tariff = PRICING.tariff([CHARGES[2], CHARGES[6], CHARGES[9], CHARGES[13]], zone="UTC")
    (usage,) = loads(*window(), 900, [5])

    first, *others = (price(tariff, usage, *window()) for _ in range(3))

    assert others == [first, first]


def test_months_that_are_asked_for_again_are_the_same() -> None:
    """Bill periods that follow each other are priced by numbers alone from the second time on."""
    tariff = PRICING.tariff([CHARGES[2], CHARGES[6], CHARGES[9], CHARGES[13]], zone="UTC")
    bounds = [Zone.named("UTC").midnight(date(2026, month, 1)) for month in (2, 3, 4, 5)]
    (usage,) = loads(bounds[0], bounds[-1], 900, [5])

    first, *others = (price_groups(tariff, usage, bounds, Terms()) for _ in range(3))

    assert len(first) == 3
    assert others == [first, first]


def test_a_meter_that_cannot_be_priced_keeps_no_other_from_its_cost() -> None:
    """In its place is what `price` raises."""
    tariff = PRICING.tariff([CHARGES[0]], zone="UTC")
    whole, broken = loads(*window(), 900, [4, 5])
    broken["import"].values[400] = MISSING  # type: ignore[union-attr]

    first, missing, nothing = price_batch(tariff, [whole, broken, {}], *window())

    assert first == one_by_one(tariff, whole, *window())
    assert isinstance(missing, IncompleteUsage)
    assert isinstance(nothing, Invalid)


def test_more_meters_than_are_worked_on_at_a_time_are_priced_in_their_order() -> None:
    """Those of a day at a flat rate, and of a month cut into hundreds of runs."""
    tariff = PRICING.tariff([CHARGES[2], CHARGES[10]], zone="UTC")
    start, end = window()
    usages = loads(start, end, 900, [4, 5, 6])
    day = (start, start + 86_400)

    of_day = price_batch(tariff, usages * 200, *day)
    of_month = price_batch(tariff, usages * 200, start, end)

    assert of_day == [one_by_one(tariff, usage, *day) for usage in usages] * 200
    assert of_month == [one_by_one(tariff, usage, start, end) for usage in usages] * 200


def test_a_tariff_that_charges_nothing_is_priced() -> None:
    """As a void contract is: there is a total, and no line."""
    tariff = PRICING.tariff([CHARGES[0]], zone="UTC")
    (version,) = tariff.versions
    nothing = attrs.evolve(tariff, versions=(attrs.evolve(version, charges=()),))
    usages = loads(*window(), 900, [4, 5])

    found = price_batch(nothing, usages, *window())

    assert found == [one_by_one(nothing, usage, *window()) for usage in usages]


def test_a_version_whose_holidays_are_not_known_is_refused() -> None:
    """It names lists of which the dates become known when it is saved."""
    charge = {**CHARGES[2]}
    tariff = PRICING.tariff([charge], zone="UTC", holiday_lists=["anywhere"])
    usages = loads(*window(), 900, [4, 5])

    found = price_batch(tariff, usages, *window())

    assert [type(each) for each in found] == [Invalid, Invalid]


def test_readings_below_zero_and_huge_ones_are_priced_exactly() -> None:
    """Neither is what numbers of 64 bits are safe for."""
    tariff = PRICING.tariff([CHARGES[2], CHARGES[9]], zone="UTC")
    usages = loads(*window(), 900, [4, 5, 6])
    usages[0]["import"].values[400] = -(10**15)  # type: ignore[union-attr]
    usages[2]["import"].values[:] = 10**15  # type: ignore[union-attr]

    found = price_batch(tariff, usages, *window())

    assert found == [one_by_one(tariff, usage, *window()) for usage in usages]


@pytest.mark.parametrize("times", [1, 40])
def test_large_meters_beside_small_ones_are_priced_exactly(times: int) -> None:
    """Numbers of several tiers are multiplied, which 64 bits might not hold, few and many."""
    tariff = PRICING.tariff([CHARGES[12], CHARGES[7], CHARGES[9]], zone="UTC")
    usages = loads(*window(), 900, [4, 5])
    usages[1]["import"].values[:] *= 2_000_000  # type: ignore[union-attr]

    found = price_batch(tariff, usages * times, *window())

    assert found == [one_by_one(tariff, usage, *window()) for usage in usages] * times


def test_questionable_readings_are_told_of_the_meter_that_has_them() -> None:
    """Each meter has the assumptions of its own readings."""
    tariff = PRICING.tariff([CHARGES[0]], zone="UTC")
    good, doubtful = loads(*window(), 900, [4, 5])
    doubtful["import"].quality[400] = 7  # type: ignore[union-attr]

    first, second = price_batch(tariff, [good, doubtful], *window())

    assert isinstance(first, Cost)
    assert isinstance(second, Cost)
    assert [each.code for each in first.assumptions] == []
    assert [each.code for each in second.assumptions] == ["questionable_readings"]


def test_meters_of_other_slots_and_channels_are_in_one_batch() -> None:
    """Each has its own way of being read."""
    tariff = PRICING.tariff([CHARGES[0], CHARGES[9]], zone="UTC")
    (fine,), (coarse,) = loads(*window(), 900, [4]), loads(*window(), 3600, [5])
    series = fine["import"]
    assert isinstance(series, Series)
    one: Usage = {"import": [ChannelSeries("a", series)]}
    two: Usage = {"import": [ChannelSeries("a", series), ChannelSeries("b", series)]}
    usages = [fine, coarse, one, two]

    found = price_batch(tariff, usages, *window())

    assert found == [one_by_one(tariff, usage, *window()) for usage in usages]


def test_each_meter_keeps_its_own_terms() -> None:
    """What charges remember, and what is assumed already, is that of the meter."""
    tariff = PRICING.tariff([CHARGES[0]], zone="UTC")
    usages = loads(*window(), 900, [4, 5])
    known = Assumption("known", "it is known")
    terms = [Terms(state={"other": {"a": "1"}}), Terms(assumptions=(known,))]

    first, second = price_batch(tariff, usages, *window(), terms)

    assert isinstance(first, Cost)
    assert isinstance(second, Cost)
    assert first.state == {"other": {"a": "1"}}
    assert second.assumptions == (known,)


def test_lines_and_steps_use_up_what_a_request_may_make() -> None:
    """As many as the charges themselves would make, and then no more."""
    tariff = PRICING.tariff([CHARGES[2], CHARGES[6], CHARGES[9], CHARGES[13]], zone="UTC")
    usages = loads(*window(), 900, [4, 5])
    counted, expected = Allowance(), Allowance()
    for usage in usages:
        one_by_one(tariff, usage, *window(), expected)

    price_batch(tariff, usages, *window(), Terms(allowance=counted))
    (few,) = price_batch(tariff, usages[:1], *window(), Terms(allowance=Allowance(lines=3)))

    assert counted.taken == expected.taken
    assert isinstance(few, TooLarge)


@attrs.frozen
class Doubled(Flat):
    """Lines of a charge that derives from another and says otherwise what they are."""

    kind = "test.doubled"

    def lines(self, measured: Measured, bill: BillSoFar) -> Any:
        """Charge twice the energy."""
        yield self.metered(2 * measured["energy"]["total"], self.rate or 0)  # type: ignore[arg-type]


def test_determinants_of_a_charge_that_is_derived_from_are_not_those_of_the_other() -> None:
    """The other one's lines are its own, whatever it inherits."""
    tariff = Pricing.of(Doubled).tariff([{"kind": "test.doubled", "rate": "0.1"}], zone="UTC")
    usages = loads(*window(), 900, [4, 5])

    found = price_batch(tariff, usages, *window())

    assert found == [one_by_one(tariff, usage, *window()) for usage in usages]


@attrs.frozen
class Wrong(Flat):
    """A charge whose determinants are not those of its lines."""

    kind = "test.wrong"

    def measures(self) -> Any:
        """Measure the energy."""
        return super().measures()

    def lines(self, measured: Measured, bill: BillSoFar) -> Any:
        """Charge the energy."""
        yield self.line(1 + measured["energy"]["total"], self.rate, "kWh")

    def determinants(self, measured: Measured, language: str) -> list[Determinant]:
        """Say another quantity."""
        line: Line = self.line(None, self.rate, "kWh")
        return [Determinant(line, (Term("energy", "total"),))]


def test_determinants_that_are_not_those_of_the_lines_are_refused() -> None:
    """Each program is tried before it prices anything."""
    tariff = Pricing.of(Wrong).tariff([{"kind": "test.wrong", "rate": "0.1"}], zone="UTC")
    usages = loads(*window(), 900, [4, 5])

    with pytest.raises(TypeError, match=r"test\.wrong: the determinants of the charge are not"):
        price_batch(tariff, usages, *window())


def test_consecutive_windows_of_a_batch_cost_what_they_cost_alone() -> None:
    """Months of meters that are priced in one pass are those that are priced one by one."""
    # That of index 6 has no program of March: its season begins within the month.
    coded = [{"code": f"charge{at}", **charge} for at, charge in enumerate(CHARGES) if at != 6]
    tariff = PRICING.tariff(coded, zone="America/New_York")
    bounds = [tariff.zone.midnight(date(2026, month, 1)) for month in (1, 2, 3, 4)]
    usages = loads(bounds[0], bounds[-1], 900, range(3, 7))

    found = price_chains(tariff, usages * 10, bounds)

    for usage, costs in zip(usages * 10, found, strict=True):
        assert costs == [one_by_one(tariff, usage, *window) for window in pairwise(bounds)]


def test_a_meter_whose_readings_are_missing_has_no_consecutive_costs() -> None:
    """The others of the batch have them."""
    tariff = PRICING.tariff([CHARGES[2], CHARGES[9]], zone="UTC")
    bounds = [tariff.zone.midnight(date(2026, month, 1)) for month in (1, 2, 3)]
    whole, other = loads(bounds[0], bounds[-1], 900, [1, 2])
    late = {"import": Series(bounds[1], 900, np.ones(3000, np.int64), np.ones(3000, np.int8))}

    found = price_chains(tariff, [whole, late, other], bounds)

    assert [costs is None for costs in found] == [False, True, False]
