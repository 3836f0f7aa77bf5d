"""How long a year of 15-minute slots takes to price under a time-of-use tariff.

    python -m benchmarks.pricing

The tariff is that of the shared benchmark: three periods in two seasons, and a monthly charge. The
calendar is compiled once and shared by all meters; both figures are printed, each the median of
many runs.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np

from energia.metering.series import Series
from energia.plugins import Plugins
from energia.pricing.calendar import compiled
from energia.pricing.engine import price
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.zones import Zone

SLOTS = 365 * 96
SUMMER = {"from": "06-01", "to": "09-30"}
RULES = [
    ("peak", ["weekday"], "16:00", "21:00"),
    ("middle", ["all"], "07:00", "23:00"),
    ("off", ["all"], "00:00", "24:00"),
]


def document() -> dict[str, object]:
    """Return the tariff."""
    rules = [
        {"period": f"{season}_{name}", "days": days, "from": begins, "to": ends, **limits}
        for season, limits in (("summer", {"season": SUMMER}), ("winter", {}))
        for name, days, begins, ends in RULES
    ]
    periods = dict.fromkeys((str(rule["period"]) for rule in rules), "0.25")
    charges = [
        {"kind": "energy.time_of_use", "schedule": {"rules": rules}, "rates": periods},
        {"kind": "fixed", "amount": "12.00", "per": "month"},
    ]
    version = {"valid_from": "2018-01-01", "charges": charges}
    return {
        "name": "bench",
        "currency": "USD",
        "timezone": "America/New_York",
        "versions": [version],
    }


def median(run: Callable[[], object], times: int) -> float:
    """Return the median of *times* runs, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    tariff = tariff_converter(Plugins.installed().charges()).structure(document(), Tariff)
    start = Zone.named("America/New_York").midnight(tariff.versions[0].valid_from)
    values = np.random.default_rng(1).integers(0, 3_000_000, SLOTS, np.int64)
    usage = {"import": Series(start, 900, values, np.ones(SLOTS, np.int8))}

    def run() -> None:
        price(tariff, usage, start, start + SLOTS * 900)

    def run_cold() -> None:
        compiled.cache_clear()
        run()

    run()
    cold, warm = median(run_cold, 30), median(run, 300)
    print(f"priced with the calendar compiled: {warm:.3f} ms")
    print(f"compiled and priced:               {cold:.3f} ms")


if __name__ == "__main__":
    main()
