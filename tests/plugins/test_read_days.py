"""Bills from meter-read day to meter-read day, of every kind of charge.

A charge adds up (its parts of a window do, whatever is used), or does so for a constant load, or is
of the bill (a constant load costs the same whatever its days). Each kind says which, by an example.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energia.metering.series import Micro
from energia.plugins import Plugins
from energia.testing import Pricing
from energia.testing.case import Case
from energia.testing.usage import Load, household
from energia.time import HOUR, Int64, Zone

PRICING = Pricing.of()
KINDS = Plugins.installed().charges()
#: Zones without changes of the clock, in which a constant load has the same energy each day.
EVEN: Final = ("UTC", "Asia/Kathmandu")
ZONES: Final = (*EVEN, "Europe/London", "America/Sao_Paulo", "America/Chicago")
SUMMER: Final = {"from": "06-01", "to": "09-30"}
SEASONS: Final = {"default": "winter", "rules": [{"period": "summer", "season": SUMMER}]}
EVENING: Final = {
    "default": "rest",
    "rules": [{"period": "peak", "days": ["weekday"], "from": "17:00", "to": "21:00"}],
}
NIGHT: Final = {
    "default": "day",
    "rules": [{"period": "night", "season": SUMMER, "from": "22:00", "to": "06:00"}],
}
#: One in any seven days of two years.
PEAKS: Final = [
    {"date": f"{date(2025, 1, 1) + timedelta(week * 7)}", "from": "17:00", "to": "20:00"}
    for week in range(104)
]

#: Parts of a window add up, whatever is used.
ADDS: Final[Mapping[str, list[dict[str, Any]]]] = {
    "energy.flat": [{"rate": "0.15"}],
    "energy.time_of_use": [{"schedule": NIGHT, "rates": {"night": "0.1", "day": "0.3"}}],
    "energy.dynamic": [{"series": "spot", "multiplier": "1.05", "floor": "0", "cap": "0.40"}],
    "energy.tiered": [
        {
            "scope": "pooled_chronological",
            "reset": "day",
            "tiers": [{"up_to": "3", "rate": "0.10"}, {"rate": "0.14"}],
        }
    ],
    "fixed": [
        {"amount": "0.45", "per": "day"},
        {"amount": "10", "per": "month"},
        {"amount": "120", "per": "year", "proration": "annual_days"},
    ],
    "demand": [
        {"interval": "PT1H", "rate": "0.5", "reset": "day"},
        {
            "interval": "PT1H",
            "schedule": EVENING,
            "rates": {"peak": "2", "rest": "1"},
            "reset": "day",
        },
    ],
    "demand.contracted": [
        {"readings": False, "contracted": "3.3", "rate": "0.073783", "per": "day"},
        {"readings": False, "contracted": "3.3", "rate": "2", "reset": "month"},
    ],
    "event": [{"form": "energy", "rate": "0.75", "events": PEAKS}],
    "export": [{"scheme": "buy_all_sell_all", "rate": "0.08"}],
    "adjustment.calendar": [
        {"months": {"2026-09": "0.01885"}, "default": "0.01", "proration": "metered"}
    ],
    "percent": [{"percent": "-10"}],
    "table": [{"rows": [{"rate": "0.02"}]}],
    "tax": [{"form": "add_on", "taxes": [{"name": "vat", "rate": "0.21"}]}],
}
#: Parts of a window add up for a constant load.
ADDS_EVENLY: Final[Mapping[str, list[dict[str, Any]]]] = {
    "energy.tiered": [
        {"unit": "kWh/day", "tiers": [{"up_to": "12.5", "rate": "0.10"}, {"rate": "0.14"}]}
    ],
    "demand": [
        {"interval": "PT1H", "rate": "2", "per": "day"},
        {"interval": "PT1H", "rate": "2", "reset": "month"},
        {
            "interval": "PT1H",
            "schedule": SEASONS,
            "rates": {"winter": "1", "summer": "2"},
            "reset": "season",
            "per": "day",
        },
    ],
    "demand.contracted": [{"contracted": "30", "rate": "2", "interval": "PT1H", "per": "day"}],
    "adjustment.calendar": [{"months": {"2026-09": "0.01885"}, "default": "0.01"}],
    "minimum": [{"amount": "500", "per": "day"}],
    "reactive": [{"bands": [{"over_percent": "33", "rate": "0.04"}]}],
    "brazil.scee": [{"of": "consumo", "type": "gd1"}],
}
#: A constant load costs its level, whatever the days of the bill.
OF_BILL: Final[Mapping[str, list[dict[str, Any]]]] = {
    "demand": [
        {"interval": "PT1H", "rate": "6.5"},
        {"interval": "PT1H", "rate": "6.5", "statistic": {"top": 3, "distinct_days": True}},
        {
            "interval": "PT1H",
            "schedule": SEASONS,
            "rates": {"winter": "2", "summer": "2"},
            "reset": "season",
        },
        {
            "interval": "PT1H",
            "schedule": {**NIGHT, "clock": "+00:00"},
            "rates": {"night": "0", "day": "2"},
            "reset": "season",
        },
        {"interval": "PT1H", "schedule": NIGHT, "weights": {"night": "0.5"}, "rate": "2"},
    ],
    "demand.contracted": [
        {"contracted": "30", "rate": "2", "interval": "PT1H"},
        {"readings": False, "contracted": "30", "rate": "2"},
    ],
    "event": [{"form": "demand", "rate": "10", "events": PEAKS}],
    "fixed": [{"amount": "6", "per": "bill"}],
    "minimum": [{"amount": "5000000", "per": "bill", "form": "replace"}],
}


def constant(role: str, starts: Int64, interval: int) -> Micro:
    """Return 4 kW in each slot."""
    return np.full(len(starts), 4_000_000 * interval // HOUR, np.int64)


def cases(laws: Mapping[str, list[dict[str, Any]]]) -> list[Case]:
    """Return the charges of a law."""
    documents = [{"kind": kind, **one} for kind, several in laws.items() for one in several]
    return [Case.of(KINDS[one["kind"]], one, PRICING) for one in documents]


def amount(case: Case, zone: str, first: date, last: date, load: Load) -> Fraction:
    """Return what the lines of a charge add up to, from one local midnight to another."""
    of = Zone.named(zone)
    cost = case.priced(case.tariff(zone), of.midnight(first), of.midnight(last), load)
    own = (line for line in cost.lines if line.code.startswith(case.code))
    return sum((Fraction(line.exact) for line in own), Fraction(0))


def named(case: Case) -> str:
    """Return what tells a case apart."""
    return f"{case.class_.kind} {sorted(case.document)}"


FIRSTS = st.dates(date(2025, 1, 1), date(2026, 10, 1))
LENGTHS = st.integers(7, 35)


def test_every_bundled_kind_is_here() -> None:
    """A new kind says what it does on bills that are no calendar months."""
    assert {*ADDS, *ADDS_EVENLY, *OF_BILL} == set(KINDS)


@pytest.mark.parametrize("case", cases(ADDS), ids=named)
@settings(max_examples=8)
@given(FIRSTS, LENGTHS, LENGTHS, st.sampled_from(ZONES))
def test_parts_of_a_window_add_up(case: Case, first: date, days: int, more: int, zone: str) -> None:
    """A bill that is cut at any local midnight, whatever is used and wherever the clock changes."""
    middle, last = first + timedelta(days), first + timedelta(days + more)

    whole = amount(case, zone, first, last, household)

    parts = (
        amount(case, zone, first, middle, household),
        amount(case, zone, middle, last, household),
    )
    assert sum(parts) == whole


@pytest.mark.parametrize("case", cases(ADDS_EVENLY), ids=named)
@settings(max_examples=8)
@given(FIRSTS, LENGTHS, LENGTHS, st.sampled_from(EVEN))
def test_parts_of_a_constant_load_add_up(
    case: Case, first: date, days: int, more: int, zone: str
) -> None:
    """What is by the day, or by the days of a month, is the same however bills are cut."""
    middle, last = first + timedelta(days), first + timedelta(days + more)

    whole = amount(case, zone, first, last, constant)

    parts = amount(case, zone, first, middle, constant), amount(case, zone, middle, last, constant)
    assert sum(parts) == whole != 0


@pytest.mark.parametrize("case", cases(OF_BILL), ids=named)
@settings(max_examples=8)
@given(FIRSTS, LENGTHS, FIRSTS, LENGTHS, st.sampled_from(ZONES))
def test_a_constant_load_is_billed_its_level(
    case: Case, first: date, days: int, other: date, more: int, zone: str
) -> None:
    """Whatever is charged once a bill is the same for any two windows, and is not nothing."""
    one = amount(case, zone, first, first + timedelta(days), constant)
    two = amount(case, zone, other, other + timedelta(more), constant)

    assert one == two != 0
