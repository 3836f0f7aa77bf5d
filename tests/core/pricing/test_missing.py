"""Costs with missing readings filled in, where that is asked for."""

import attrs
import numpy as np
import pytest

from energia.errors import IncompleteUsage
from energia.metering.series import MISSING, NEVER_SENT, Series
from energia.pricing.engine import Cost, price
from energia.pricing.usage import Missing, Terms
from tests.core.pricing.documents import instant, series, tariff

HOUR = 3600
FLAT = tariff([{"kind": "energy.flat", "rate": "1"}], "Europe/London")
START, END = "2026-03-02T00:00:00Z", "2026-03-02T06:00:00Z"


def cost(usage: Series, missing: Missing, start: str = START, end: str = END) -> Cost:
    """Price the usage at one per kWh."""
    terms = Terms(missing=missing)
    return price(FLAT, {"import": usage}, instant(start), instant(end), terms)


def told(found: Cost) -> list[tuple[str, int | None]]:
    """Return the assumptions, each with its slots."""
    return [(one.code, one.slots) for one in found.assumptions]


def kwh(*values: int | None) -> Series:
    """Return hours from the start of the window on, in kWh."""
    return series(START, HOUR, [MISSING if one is None else one * 1_000_000 for one in values])


def test_filled_slots_are_counted() -> None:
    """As an assumption: three of the six hours, the last two of which the series lacks."""
    usage = kwh(1, None, 2, 6)

    zero, estimate = cost(usage, "zero"), cost(usage, "estimate")

    assert (zero.total, told(zero)) == ("9", [("missing_as_zero", 3)])
    assert (estimate.total, told(estimate)) == ("18", [("missing_estimated", 3)])


def test_only_the_window_is_filled_in_and_known() -> None:
    """What lies outside of it is neither counted nor a reason for an estimate."""
    usage = kwh(None, 4, None, 8, None, 900, None)

    found = cost(usage, "estimate", "2026-03-02T01:00:00Z", "2026-03-02T05:00:00Z")

    assert (found.total, told(found)) == ("24", [("missing_estimated", 2)])


@pytest.mark.parametrize("missing", ["zero", "estimate", "refuse"])
def test_without_holes_nothing_is_assumed(missing: Missing) -> None:
    """Whatever becomes of missing readings, there are none."""
    found = cost(kwh(1, 2, 3, 4, 5, 6), missing)

    assert (found.total, found.assumptions) == ("21", ())


@pytest.mark.parametrize(
    "usage",
    [
        kwh(*[None] * 6),
        series("2020-01-01T00:00:00Z", HOUR, [1, 2]),
        series("2030-01-01T00:00:00Z", HOUR, [1, 2]),
        series(START, HOUR, []),
    ],
)
def test_where_nothing_is_known_nothing_is_estimated(usage: Series) -> None:
    """It is refused with its gap; zero can be assumed all the same."""
    with pytest.raises(IncompleteUsage, match=r"^6 slots") as refused:
        cost(usage, "estimate")

    assert len(refused.value.faults) == 1
    assert told(cost(usage, "zero")) == [("missing_as_zero", 6)]


def test_each_role_is_filled_in_by_itself() -> None:
    """One without holes is left alone; one of which nothing is known is refused by its name."""
    charges = [
        {"kind": "energy.flat", "code": role, "rate": "1", "channel": role}
        for role in ("import", "export")
    ]
    both = tariff(charges, "Europe/London")
    window = instant(START), instant(END)
    terms = Terms(missing="estimate")

    found = price(both, {"import": kwh(1, 2, 3, 4, 5, 6), "export": kwh(None, 7)}, *window, terms)

    assert found.total == str(21 + 6 * 7)
    assert [one.message[:26] for one in found.assumptions] == ["5 missing slots of export "]
    with pytest.raises(IncompleteUsage) as refused:
        price(both, {"import": kwh(*[None] * 6), "export": kwh(None, 7)}, *window, terms)
    assert [fault.message[:7] for fault in refused.value.faults] == ["import:"]


def test_the_readings_are_not_changed() -> None:
    """What is filled in is nobody else's reading."""
    usage = kwh(1, None, 3, 4, 5, 6)
    never = attrs.evolve(usage, quality=np.full(6, NEVER_SENT, np.int8))
    before = usage.values.copy()

    assert cost(usage, "estimate").total == cost(never, "estimate").total
    cost(usage, "zero")

    assert (usage.values == before).all()
