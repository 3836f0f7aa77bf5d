"""A check of how long pricing takes, against the simplest charge on the same machine."""

from time import thread_time
from typing import Final

from energia.pricing.engine import price
from energia.pricing.segments import roles
from energia.pricing.tariffs import Tariff
from energia.pricing.terms import Terms
from energia.testing.case import Case
from energia.testing.market import made_up
from energia.testing.outcome import Failed
from energia.testing.usage import household, series
from energia.zones import DAY

#: A year of quarter-hours may take so many times what `energy.flat` takes, ...
BUDGET: Final = 100
#: ... and this for each line and step: those who want tiers of each day want to see them.
PER_STEP: Final = 0.3
#: 2025-12-31T23:00Z and a year later: local midnights of the zone.
_START, _END = 1_767_222_000, 1_767_222_000 + 365 * DAY
_ZONE: Final = "Europe/Madrid"
_REPEATED: Final = 5


def speed(case: Case) -> None:
    """A year of quarter-hours takes at most a hundred times as long as under `energy.flat`.

    Each line and each step that the bill shows may take a third of that time more.
    """
    flat = case.pricing.tariff({"kind": "energy.flat", "rate": "0.1"}, zone=_ZONE)
    base = _seconds(flat, 900, _REPEATED)
    tariff = case.tariff(_ZONE)
    # The first time calendars are compiled, which are kept; what is far too slow is seen by then.
    spent = min(_seconds(tariff, min(case.interval, 900), 1), 10.0)
    if spent < 1:
        spent = _seconds(tariff, min(case.interval, 900), _REPEATED)
    ratio, budget = spent / base, BUDGET + PER_STEP * _steps(case, tariff)
    if ratio > budget:
        raise Failed(
            f"a year of quarter-hours takes {spent * 1000:.1f} ms, {ratio:.0f} times energy.flat; "
            f"{budget:.0f} times are allowed: measure with numpy"
        )


def _steps(case: Case, tariff: Tariff) -> int:
    """Return how many lines and steps the bill has."""
    cost = case.priced(tariff, _START, _END)
    return len(cost.lines) + sum(len(detail.steps) for detail in cost.details)


def _seconds(tariff: Tariff, interval: int, repeated: int) -> float:
    """Return the shortest time of this thread that pricing took; waiting does not count."""
    usage = {
        role: series(household, role, _START, _END, interval) for role in roles(tariff.versions)
    }
    terms, times = Terms(prices=made_up(tariff, _START, _END)), []
    for _ in range(repeated):
        began = thread_time()
        price(tariff, usage, _START, _END, terms)
        times.append(thread_time() - began)
    return max(min(times), 1e-6)
