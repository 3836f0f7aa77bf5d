"""What is taken of the readings, what is assumed, and what is refused."""

import attrs
import numpy as np
import pytest

from energia.errors import IncompleteUsage, Invalid
from energia.metering.series import MISSING, NEVER_SENT, Series
from energia.pricing.engine import Cost, price
from tests.core.pricing.documents import instant, series, tariff

FLAT = tariff([{"kind": "energy.flat", "rate": "1"}], "Europe/London")
START = "2021-03-28T00:00:00+00:00"
DAY = series(START, 900, [1_000_000] * 96)


def cost(usage: Series, start: str, end: str) -> Cost:
    """Price the usage at one per kWh."""
    return price(FLAT, {"import": usage}, instant(start), instant(end))


def test_a_window_takes_the_slots_that_start_in_it() -> None:
    """Usage may reach further than the window."""
    found = cost(DAY, "2021-03-28T01:00:00Z", "2021-03-28T02:00:00Z")

    assert (found.total, found.assumptions) == ("4", ())


def test_a_boundary_inside_a_slot_is_an_assumption() -> None:
    """A slot belongs wholly to the window that its start is in."""
    found = cost(DAY, "2021-03-28T01:05:00Z", "2021-03-28T02:05:00Z")

    assert found.total == "4"
    assert [one.code for one in found.assumptions] == ["boundary_inside_interval"]
    assert "2 slots of import" in found.assumptions[0].message


def test_a_period_that_begins_inside_slots_is_an_assumption() -> None:
    """The slots that a boundary between periods falls into are counted."""
    rule = {"period": "b", "from": "17:30", "to": "20:00"}
    charge = {
        "kind": "energy.time_of_use",
        "schedule": {"default": "a", "rules": [rule]},
        "rates": {"a": "1", "b": "2"},
    }
    hours = series("2021-03-01T00:00:00Z", 3600, [1_000_000] * 48)

    found = price(tariff([charge]), {"import": hours}, hours.start, hours.end)

    assert [one.code for one in found.assumptions] == ["boundary_inside_interval"]
    assert "2 slots" in found.assumptions[0].message


def with_gaps() -> Series:
    """Return the day with a slot that was never sent and two that were marked missing."""
    values, quality = DAY.values.copy(), DAY.quality.copy()
    values[[4, 8, 9]] = MISSING
    quality[4], quality[8:10] = NEVER_SENT, 0
    return attrs.evolve(DAY, values=values, quality=quality)


def test_missing_readings_are_refused_with_their_gaps() -> None:
    """Each gap is named with its reason, in local time."""
    with pytest.raises(IncompleteUsage) as refused:
        cost(with_gaps(), "2021-03-28T00:00:00Z", "2021-03-29T00:15:00Z")

    assert refused.value.detail == "4 slots of the window have no reading"
    assert [(fault.code, fault.message) for fault in refused.value.faults] == [
        (
            "never_sent",
            "import: no reading from 2021-03-28T02:00:00+01:00 to 2021-03-28T02:15:00+01:00 "
            "(1 slots)",
        ),
        (
            "marked_missing",
            "import: no reading from 2021-03-28T03:00:00+01:00 to 2021-03-28T03:30:00+01:00 "
            "(2 slots)",
        ),
        (
            "never_sent",
            "import: no reading from 2021-03-29T01:00:00+01:00 to 2021-03-29T01:15:00+01:00 "
            "(1 slots)",
        ),
    ]


def test_gaps_outside_the_window_do_not_matter() -> None:
    """Only what is priced must be there."""
    assert cost(with_gaps(), "2021-03-28T02:30:00Z", "2021-03-28T03:30:00Z").total == "4"


@pytest.mark.parametrize(
    ("start", "end", "slots"),
    [
        ("2021-03-27T23:00:00Z", "2021-03-28T00:15:00Z", 4),
        ("2021-03-20T00:00:00Z", "2021-03-20T01:00:00Z", 4),
        ("2021-04-20T00:00:00Z", "2021-04-20T01:00:00Z", 4),
    ],
)
def test_usage_that_does_not_reach_as_far_is_incomplete(start: str, end: str, slots: int) -> None:
    """Slots before and after the series are gaps too."""
    with pytest.raises(IncompleteUsage, match=f"^{slots} slots"):
        cost(DAY, start, end)


def test_at_most_a_thousand_gaps_are_named() -> None:
    """A refusal stays readable."""
    values = np.where(np.arange(4000) % 2, MISSING, 0)
    usage = Series(0, 900, values, np.zeros(4000, np.int8))

    with pytest.raises(IncompleteUsage, match=r"^2000 slots") as refused:
        price(tariff([{"kind": "energy.flat", "rate": "1"}], valid_from="1960-01-01"),
              {"import": usage}, 0, usage.end)  # fmt: skip

    assert len(refused.value.faults) == 1000


def test_questionable_readings_are_an_assumption() -> None:
    """Values that are not to be believed are priced and told."""
    quality = DAY.quality.copy()
    quality[:3] = 7

    found = cost(attrs.evolve(DAY, quality=quality), "2021-03-28T00:15:00Z", "2021-03-29T00:00:00Z")

    assert [(one.code, one.message) for one in found.assumptions] == [
        ("questionable_readings", "2 readings of import are questionable")
    ]


def test_a_role_that_the_usage_lacks_is_named() -> None:
    """The refusal says what is charged and what is there."""
    charges = [{"kind": "energy.flat", "rate": "1", "channel": "export"}]

    with pytest.raises(Invalid) as refused:
        price(tariff(charges), {"import": DAY}, DAY.start, DAY.end)

    (fault,) = refused.value.faults
    assert fault.code == "missing_channel"
    assert fault.message == "the tariff charges export, and the usage has import"


def test_an_empty_window_is_refused() -> None:
    """There is nothing to price between an instant and itself."""
    with pytest.raises(Invalid, match="empty"):
        cost(DAY, START, START)


def test_a_window_without_a_slot_costs_nothing() -> None:
    """Between the starts of two slots there is no energy; the answer says so."""
    found = cost(DAY, "2021-03-28T00:05:00Z", "2021-03-28T00:10:00Z")

    assert found.total == "0"
    assert [one.code for one in found.assumptions] == ["boundary_inside_interval"]


def test_roles_may_have_different_slots() -> None:
    """Each role keeps the grid of its own meter."""
    charges = [
        {"kind": "energy.flat", "rate": "1"},
        {"kind": "energy.flat", "rate": "-0.1", "channel": "export", "code": "sold"},
        {"kind": "energy.flat", "rate": "2", "channel": "reactive_energy.import", "code": "vars"},
    ]
    charges[0]["code"] = "bought"
    hours = series(START, 3600, [500_000] * 24)
    usage = {"import": DAY, "export": hours, "reactive_energy.import": hours}

    found = price(tariff(charges), usage, DAY.start, DAY.end)

    assert [(line.code, line.amount, line.unit) for line in found.lines] == [
        ("bought", "96", "kWh"),
        ("sold", "-1.2", "kWh"),
        ("vars", "24", "kvarh"),
    ]
