"""Laws of bills that grow: however readings arrive, the bill is the one of all of them."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.costing.growth import Measurement, can_grow, is_cut, measure, price_measurement
from energia.pricing.engine import price
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms
from tests.core.pricing.documents import series, tariff

DAYS, HOUR = 4, 3600
START = 1_772_323_200  # 2026-03-01T00:00Z
SCHEDULE = {
    "default": "off",
    "rules": [{"period": "peak", "days": ["weekday"], "from": "17:30", "to": "21:00"}],
}
#: A season that begins inside, and whose last night lasts into the next.
NIGHTS = {
    "default": "day",
    "rules": [
        {
            "period": "night",
            "season": {"from": "02-01", "to": "03-02"},
            "from": "22:00",
            "to": "06:00",
        }
    ],
}
RATES = {"peak": "0.40", "off": "0.10"}
TIERS = [{"up_to": "30", "rate": "0.10"}, {"rate": "0.20"}]
CHARGES: dict[str, dict[str, Any]] = {
    "flat": {"kind": "energy.flat", "rate": "0.15"},
    "time of use": {"kind": "energy.time_of_use", "schedule": SCHEDULE, "rates": RATES},
    "tiers": {"kind": "energy.tiered", "tiers": TIERS},
    "demand": {
        "kind": "demand",
        "interval": "PT1H",
        "schedule": SCHEDULE,
        "rates": RATES,
        "statistic": {"top": 2, "distinct_days": True},
    },
    "monthly demand": {"kind": "demand", "interval": "PT1H", "rate": "3", "reset": "month"},
    "daily demand": {"kind": "demand", "interval": "PT1H", "rate": "3", "reset": "day"},
    "seasonal demand": {
        "kind": "demand",
        "interval": "PT1H",
        "schedule": NIGHTS,
        "rates": {"night": "2", "day": "1"},
        "reset": "season",
    },
    "demand at half": {
        "kind": "demand",
        "interval": "PT1H",
        "schedule": SCHEDULE,
        "weights": {"off": "0.5"},
        "rate": "1",
        "statistic": {"top": 2},
    },
    "fixed": {"kind": "fixed", "amount": "10", "per": "month"},
}
values = st.lists(
    st.integers(-50, 50).map(lambda value: value * 100_000),
    min_size=24 * DAYS,
    max_size=24 * DAYS,
)


def grown(one: Tariff, readings: Sequence[int], cuts: Sequence[int]) -> Measurement:
    """Return what is measured when readings arrive in parts, cut after so many hours."""
    found: Measurement | None = None
    begin = 0
    for end in [*cuts, len(readings)]:
        usage = {"import": series(START + begin * HOUR, HOUR, readings[begin:end])}
        found = measure(one, usage, START, START + end * HOUR, found)
        begin = end
    assert found is not None
    return found


@given(
    readings=values,
    cuts=st.sets(st.integers(1, 24 * DAYS - 1), max_size=5).map(sorted),
    zone=st.sampled_from(["UTC", "America/Sao_Paulo", "Asia/Tokyo"]),
)
def test_a_bill_in_parts_is_the_bill_of_all(
    readings: list[int], cuts: list[int], zone: str
) -> None:
    """Energy, tiers, peaks and fixed amounts do not depend on when readings arrived."""
    one = tariff(
        [
            {**charge, "code": "x"} | {"code": code.replace(" ", "-")}
            for code, charge in CHARGES.items()
        ],
        zone,
    )

    so_far = price_measurement(one, START, grown(one, readings, cuts), Terms())

    whole = price(one, {"import": series(START, HOUR, readings)}, START, START + DAYS * 86_400)
    assert (so_far.total, so_far.lines, so_far.state) == (whole.total, whole.lines, whole.state)


@pytest.mark.parametrize("name", CHARGES)
def test_common_charges_grow(name: str) -> None:
    """A tariff of energy, tiers, demand and fixed amounts needs no reading twice."""
    assert can_grow(tariff([CHARGES[name]]).versions[0])


def test_what_needs_the_order_of_slots_does_not_grow() -> None:
    """Tiers that are filled in the order of time are worked out from all readings."""
    charge = {
        "kind": "energy.tiered",
        "scope": "pooled_chronological",
        "schedule": SCHEDULE,
        "rates": {"peak": TIERS, "off": TIERS},
    }

    assert not can_grow(tariff([charge]).versions[0])


def test_what_is_exported_does_not_grow() -> None:
    """Net metering measures the energy charges again, of other readings."""
    charges = [CHARGES["flat"], {"kind": "export", "scheme": "net_metering"}]

    assert not can_grow(tariff(charges).versions[0])


def test_an_open_interval_of_demand_is_no_cut() -> None:
    """Half an hour into a demand interval of an hour, the peak is not known."""
    one = tariff([CHARGES["demand"]], "Asia/Kolkata")

    assert not is_cut(one.versions[0], one.zone, START)
    assert is_cut(one.versions[0], one.zone, START + HOUR // 2)
