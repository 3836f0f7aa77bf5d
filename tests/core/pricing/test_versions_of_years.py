"""A tariff of four years in its six versions: bills across them, beside a loop over hours."""

import json
from collections import defaultdict
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from energia.costing.groups import price_groups, together
from energia.pricing.engine import price
from energia.pricing.usage import Terms
from tests.core.pricing.documents import exact_total, read, series

FOLDER: Final = Path(__file__).parents[2] / "data" / "electricitycostcalculator"
BLOCKS: Final[list[dict[str, Any]]] = json.loads((FOLDER / "a1_tou_2014_2018.json").read_text())
ZONE: Final = ZoneInfo("America/Los_Angeles")
LENGTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
KINDS: Final = {"weekday": ["mon", "tue", "wed", "thu", "fri"], "weekend": ["sat", "sun"]}
FIRST, LAST = date(2014, 5, 1), date(2018, 5, 31)


def rules(block: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the schedule of a block as rules: a run of hours of each month and kind of day."""
    found = []
    for kind, days in (
        ("weekday", ["mon", "tue", "wed", "thu", "fri"]),
        ("weekend", ["sat", "sun"]),
    ):
        for month, hours in enumerate(block[kind], 1):
            season = {"from": f"{month:02}-01", "to": f"{month:02}-{LENGTHS[month - 1]}"}
            at = 0
            for period, run in groupby(hours):
                end = at + len(list(run))
                window = {"from": f"{at:02}:00", "to": f"{end:02}:00"}
                found.append({"period": period, "days": days, "season": season, **window})
                at = end
    return found


def versions() -> list[dict[str, Any]]:
    """Return the blocks as versions; each ends where the next begins."""
    found = []
    for block, following in pairwise([*BLOCKS, {"valid_from": None}]):
        used = {
            period for kind in ("weekday", "weekend") for hours in block[kind] for period in hours
        }
        energy = {
            "kind": "energy.time_of_use",
            "schedule": {"rules": rules(block)},
            "rates": {period: block["rates"][int(period)] for period in sorted(used)},
        }
        found.append(
            {
                "valid_from": block["valid_from"],
                "valid_to": following["valid_from"],
                "rounding": {"amount_decimals": None},
                "charges": [energy, {"kind": "fixed", **block["fixed"]}],
            }
        )
    return found


TARIFF: Final = read(
    {"name": "A-1", "currency": "USD", "timezone": "America/Los_Angeles", "versions": versions()}
)


def midnight(day: date) -> int:
    """Return when a day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp())


def load(first: int, last: int) -> list[int]:
    """Return micro-kWh that differ from hour to hour."""
    return [1_000_000 + 7_919 * (hour % 1013) for hour in range((last - first) // 3600)]


def energy_by_hand(first: int, numbers: list[int]) -> dict[str, Fraction]:
    """Return what energy costs by each version, one hour after the other."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for hour, micro in enumerate(numbers):
        at = datetime.fromtimestamp(first + 3600 * hour, ZONE)
        block = [one for one in BLOCKS if one["valid_from"] <= f"{at:%Y-%m-%d}"][-1]
        kind = "weekend" if at.weekday() >= 5 else "weekday"
        period = int(block[kind][at.month - 1][at.hour])
        rate = Fraction(block["rates"][period])
        found[block["valid_from"]] += Fraction(micro, 10**6) * rate
    return found


@pytest.mark.parametrize(
    ("first", "days"),
    [
        (date(2015, 2, 10), 30),
        (date(2017, 10, 12), 61),  # three versions
        (FIRST, (LAST - FIRST).days),  # all of them
    ],
)
def test_energy_across_versions(first: date, days: int) -> None:
    """Each version charges its hours, to the last digit."""
    start, end = midnight(first), midnight(first + timedelta(days=days))
    numbers = load(start, end)

    cost = price(TARIFF, {"import": series(start, 3600, numbers)}, start, end)

    found: dict[str, Fraction] = defaultdict(Fraction)
    for line in cost.lines:
        if line.period is not None:
            found[str(line.version)] += Fraction(line.exact)
    assert found == energy_by_hand(start, numbers)


def test_a_fixed_amount_that_becomes_one_by_day() -> None:
    """From 17 November 2017: 14 of 30 days of 10.00 a month, then 16 days of 0.32854."""
    start, end = midnight(date(2017, 11, 17)), midnight(date(2017, 12, 17))
    usage = {"import": series(start, 3600, load(start, end))}

    cost = price(TARIFF, usage, start, end)

    fixed = [Fraction(line.exact) for line in cost.lines if line.code == "fixed"]
    assert fixed == [Fraction(14, 30) * 10, 16 * Fraction("0.32854")]


def test_bills_of_thirty_days_add_up() -> None:
    """Energy and what is charged by days: as many bills as there are, or one of four years."""
    start = midnight(FIRST)
    edges = [midnight(FIRST + timedelta(days=30 * at)) for at in range(49)]
    usage = {"import": series(start, 3600, load(start, edges[-1]))}

    whole = price(TARIFF, usage, start, edges[-1])
    bills = together(price_groups(TARIFF, usage, edges, Terms()))

    assert exact_total(bills) == exact_total(whole)
