"""What one unit costs in each slot."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.errors import Invalid
from energia.pricing.calendar import Grid
from energia.pricing.prices import PriceRun, Prices, prices
from energia.pricing.tariffs import Tariff
from tests.core.pricing import oracle
from tests.core.pricing.documents import document, instant, read, tariff

HOUR = 3600
EVENING = {"period": "peak", "from": "17:30", "to": "20:30"}
PEAK = {"default": "off", "rules": [EVENING | {"days": ["weekday"]}]}
FLAT = {"kind": "energy.flat", "code": "supply", "rate": "0.10"}
PARTS = {"te": "0.302", "tusd": "0.578"}
BY_TIME = {
    "kind": "energy.time_of_use",
    "code": "grid",
    "schedule": PEAK,
    "rates": {"peak": {"components": PARTS}, "off": "0.25"},
}
FIXED = {"kind": "fixed", "amount": "9", "per": "month"}


def slots(found: Prices) -> list[PriceRun]:
    """Return the price of each slot; the runs follow one another."""
    edges = [0, *(run.past for run in found.runs)]
    assert [run.first for run in found.runs] == edges[:-1]
    assert edges[-1] == found.grid.count
    return [run for run in found.runs for _ in range(run.first, run.past)]


def priced(
    document: Tariff, start: str, count: int, interval: int = HOUR, **parameters: object
) -> list[PriceRun]:
    """Return the price of each slot of import."""
    return slots(prices(document, "import", Grid(instant(start), interval, count), parameters))


def test_a_price_is_the_sum_of_its_components() -> None:
    """Charges without a price per unit, and those of other channels, are not in it."""
    exports = FLAT | {"code": "exports", "rate": "7", "channel": "export"}
    found = prices(
        tariff([FLAT, BY_TIME, FIXED, exports]),
        "import",
        Grid(instant("2026-03-02T17:30:00Z"), HOUR, 1),
        {},
    )

    (run,) = slots(found)
    assert run.components == {"supply": "0.10", "grid.te": "0.302", "grid.tusd": "0.578"}
    assert (run.price, run.period) == ("0.98", "peak")
    assert [(one.code, one.slots) for one in found.assumptions] == [("not_per_unit", None)]
    assert found.assumptions[0].message.endswith(": fixed")


def test_rates_are_rounded_as_the_tariff_says() -> None:
    """What a bill multiplies is what is shown."""
    charge = {"kind": "energy.flat", "components": {"a": "0.123456", "b": "0.000005"}}

    (run,) = priced(
        tariff([charge], rounding={"unit_price_decimals": 5}), "2026-03-02T00:00:00Z", 1
    )

    assert run.components == {"energy.flat.a": "0.12346", "energy.flat.b": "0.00001"}
    assert run.price == "0.12347"


@pytest.mark.parametrize(
    ("start", "hours", "peak"),
    [
        # In the winter 17:30 in Berlin is 16:30 in UTC; on the day of the change 15:30.
        ("2026-03-27T23:00:00Z", 24, []),  # a Saturday
        ("2026-03-30T22:00:00Z", 24, range(18, 21)),
        ("2026-03-28T23:00:00Z", 23, range(17, 20)),  # of 23 hours, a holiday in no list
        ("2026-10-24T22:00:00Z", 25, range(19, 22)),  # of 25 hours
    ],
)
def test_days_of_23_and_25_hours(start: str, hours: int, peak: range) -> None:
    """The wall clock tells the period: hour 18 of a day that lost one is its 17th."""
    daily = {"default": "off", "rules": [EVENING | {"days": ["weekday", "sun"]}]}

    found = priced(tariff([BY_TIME | {"schedule": daily}], "Europe/Berlin"), start, hours)

    assert [at for at, run in enumerate(found) if run.period == "peak"] == list(peak)


def test_versions_follow_one_another_in_a_window() -> None:
    """Each slot has the price of the version at its start, on the tariff's calendar."""
    first = {"valid_from": "2026-01-01", "valid_to": "2026-03-01", "charges": [FLAT]}
    second = {"valid_from": "2026-03-01", "charges": [FLAT | {"rate": "0.2"}, BY_TIME]}
    both = read(document([FLAT], "America/Sao_Paulo") | {"versions": [second, first]})

    found = prices(both, "import", Grid(instant("2026-02-28T23:30:00-03:00"), HOUR, 3), {})

    assert [(run.price, run.period) for run in slots(found)] == [
        ("0.1", None),
        ("0.45", "off"),
        ("0.45", "off"),
    ]
    assert [(one.code, one.slots) for one in found.assumptions] == [("boundary_inside_interval", 1)]


@pytest.mark.parametrize(
    ("start", "pointer", "moment"),
    [
        ("2025-12-31T22:00:00Z", "/start", "2025-12-31T22:00:00"),
        ("2026-01-31T22:00:00Z", "/end", "2026-02-01T00:00:00"),
        ("2026-02-28T23:00:00Z", "/start", "2026-02-28T23:00:00"),
        ("2026-03-31T22:00:00Z", "/end", "2026-04-01T00:00:00"),
    ],
)
def test_without_a_version_there_is_no_price(start: str, pointer: str, moment: str) -> None:
    """Before the first version, between two, after the last: the first such slot is named."""
    spans = [("2026-01-01", "2026-02-01"), ("2026-03-01", "2026-04-01")]
    versions = [{"valid_from": a, "valid_to": b, "charges": [FLAT]} for a, b in spans]

    with pytest.raises(Invalid) as refused:
        priced(read(document([FLAT]) | {"versions": versions}), start, 4)

    (fault,) = refused.value.faults
    assert (fault.code, fault.pointer) == ("no_version_in_force", pointer)
    assert moment in fault.message


def test_a_tariff_without_a_price_per_unit_is_refused() -> None:
    """An amount for each month is no price of a kilowatt-hour."""
    with pytest.raises(Invalid) as refused:
        priced(tariff([FIXED]), "2026-03-02T00:00:00Z", 1)

    assert [fault.code for fault in refused.value.faults] == ["no_unit_price"]


def test_a_boundary_inside_slots_is_told_for_each_schedule() -> None:
    """Charges that share a schedule share its boundaries."""
    other = {"default": "day", "rules": [{"period": "night", "from": "00:00", "to": "06:45"}]}
    charges = [
        BY_TIME,
        BY_TIME | {"code": "tax"},
        BY_TIME | {"code": "night", "schedule": other, "rates": {"day": "1", "night": "2"}},
    ]
    found = prices(tariff(charges), "import", Grid(instant("2026-03-02T00:00:00Z"), HOUR, 24), {})

    assert [(one.slots, one.message) for one in found.assumptions] == [
        (2, "a boundary between periods of grid, tax falls inside 2 slots: "
            "each has the price at its start"),
        (1, "a boundary between periods of night falls inside 1 slots: "
            "each has the price at its start"),
    ]  # fmt: skip
    assert {run.period for run in found.runs} == {None}


def test_charges_that_share_a_schedule_have_one_period() -> None:
    """The period is that of all charges that have one."""
    found = priced(tariff([FLAT, BY_TIME, BY_TIME | {"code": "x"}]), "2026-03-02T18:00:00Z", 4)

    assert [run.period for run in found] == ["peak", "peak", "peak", "off"]


def test_parameters_are_needed_of_the_versions_in_the_window_only() -> None:
    """A later version that asks for more does not matter to prices of today."""
    asks = FLAT | {"rate": {"parameter": "rate"}}
    versions = [
        {"valid_from": "2026-01-01", "valid_to": "2027-01-01", "charges": [asks]},
        {"valid_from": "2027-01-01", "charges": [FLAT | {"rate": {"parameter": "new"}}]},
    ]
    both = read(document([FLAT]) | {"versions": versions})

    assert [run.price for run in priced(both, "2026-03-02T00:00:00Z", 1, rate="0.7")] == ["0.7"]
    bad: dict[str, object] = {"rate": "x"}
    for parameters, code in (({}, "missing_parameter"), (bad, "wrong_type")):
        with pytest.raises(Invalid) as refused:
            priced(both, "2026-03-02T00:00:00Z", 1, HOUR, **parameters)
        assert [(one.code, one.pointer) for one in refused.value.faults] == [
            (code, "/parameters/rate")
        ]


@given(
    zone=st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"]),
    clock=st.sampled_from(["local", "+00:00", "-03:30"]),
    start=st.integers(instant("2018-10-01T00:00:00Z") // 60, instant("2019-05-01T00:00:00Z") // 60),
    interval=st.sampled_from([300, 900, 1800, 3600]),
)
def test_prices_are_those_of_a_slot_by_slot_loop(
    zone: str, clock: str, start: int, interval: int
) -> None:
    """Sums of rates looked up one by one with zoneinfo, two days from any minute on."""
    rules = [
        {"period": "peak", "days": ["weekday"], "from": "17:30", "to": "20:30"},
        {
            "period": "night",
            "from": "23:00",
            "to": "06:15",
            "season": {"from": "10-15", "to": "03-20"},
        },
    ]
    charge = {
        "kind": "energy.time_of_use",
        "schedule": {"default": "off", "rules": rules, "clock": clock},
        "rates": {"peak": "0.7", "night": "0.1", "off": "0.3"},
    }
    version: Mapping[str, Any] = {"holidays": ["2018-12-25"]}
    grid = Grid(start * 60, interval, 2 * 86_400 // interval)

    found = slots(prices(tariff([FLAT, charge], zone, **version), "import", grid, {}))

    expected = [
        Fraction("0.1") + oracle.rate_at(charge, version, zone, at) for at in grid.starts.tolist()
    ]
    assert [Fraction(run.price) for run in found] == expected
