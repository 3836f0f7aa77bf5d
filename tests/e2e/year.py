"""The demo household's year under its three tariffs, worked out slowly and by itself.

One reading at a time, with the standard library's clock and fractions; nothing of the engine.
"""

import gzip
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from importlib import resources
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
FILE = resources.files("energia_plugins.demo").joinpath("household_2021.csv.gz").read_bytes()
HOLIDAYS = {
    date.fromisoformat(f"2021-{day}")
    for day in ("01-01", "04-02", "04-05", "05-03", "05-31", "08-30", "12-27", "12-28")
}
RATES = {
    "demo-flat": {"": "0.2450"},
    "demo-night": {"day": "0.2890", "night": "0.1320"},
    "demo-seasons": {"low": "0.1650", "standard": "0.2350", "peak": "0.3650"},
}


def readings() -> Iterator[tuple[datetime, Fraction]]:
    """Yield the start of each hour, on the clock of London, and the kilowatt-hours."""
    for row in gzip.decompress(FILE).decode().splitlines()[1:]:
        start, value = row.split(",")
        # Real files carry float noise: a reading is exact to the millionth, ties to even.
        exact = Decimal(value).quantize(Decimal("0.000001"))
        yield datetime.fromisoformat(start).astimezone(LONDON), Fraction(exact)


def _flat(_: datetime) -> str:
    return ""


def _night(start: datetime) -> str:
    greenwich = start - (start.utcoffset() or timedelta(0))
    return "night" if greenwich.hour < 7 else "day"


def _seasons(start: datetime) -> str:
    summer = 4 <= start.month <= 9
    off = start.weekday() >= 5 or start.date() in HOLIDAYS
    if start.hour >= 23 or start.hour < 6:
        return "low"
    if not summer and not off and 16 <= start.hour < 20:
        return "peak"
    return "low" if summer and off and 11 <= start.hour < 16 else "standard"


PERIODS: dict[str, Callable[[datetime], str]] = {
    "demo-flat": _flat,
    "demo-night": _night,
    "demo-seasons": _seasons,
}


def standing(tariff: str, month: int) -> Fraction:
    """Return the fixed amount of a month."""
    days = monthrange(2021, month)[1]
    per_day = {"demo-flat": Fraction(45, 100), "demo-night": Fraction(47, 100)}
    return per_day[tariff] * days if tariff in per_day else Fraction(14)


def pence(exact: Fraction) -> Decimal:
    """Round half up to pence."""
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(
        Decimal("0.01"), ROUND_HALF_UP
    )


def lines(
    tariff: str, changed: Callable[[datetime, Fraction], Fraction] = lambda _, value: value
) -> dict[int, dict[str, tuple[Fraction, Decimal]]]:
    """Return the exact and the rounded amount of each line, by month and code.

    *changed* gives what an hour has instead of what the file says.
    """
    used: dict[int, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for start, value in readings():
        used[start.month][PERIODS[tariff](start)] += changed(start, value)
    kind = "energy.flat" if tariff == "demo-flat" else "energy.time_of_use"
    found: dict[int, dict[str, tuple[Fraction, Decimal]]] = {}
    for month, periods in used.items():
        exact = {
            f"{kind}.{period}".rstrip("."): quantity * Fraction(RATES[tariff][period])
            for period, quantity in periods.items()
        }
        exact["fixed"] = standing(tariff, month)
        found[month] = {code: (amount, pence(amount)) for code, amount in exact.items()}
    return found
