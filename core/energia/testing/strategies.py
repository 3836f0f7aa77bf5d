"""Hypothesis strategies: charges of a kind, schedules, usage, windows, tariffs.

They draw JSON documents as clients send them, and readings as `Pricing` takes them. They need
`pip install energia[testing]`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import Any

import hypothesis.errors
import numpy as np
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from energia.errors import Invalid
from energia.metering.series import ACTUAL, Series
from energia.pricing.charges import Charge
from energia.testing.case import MONDAY, Case
from energia.testing.documents import charge_documents, fits, near_examples, schedules
from energia.testing.pricing import Pricing
from energia.testing.usage import CLOCK_CHANGES, zero
from energia.time import DAY, Instant, Zone
from energia.units import ceiling

__all__ = ["charges", "found", "schedules", "tariffs", "usage", "windows"]

_ZONES = ("UTC", "Asia/Kathmandu", *dict.fromkeys(change.zone for change in CLOCK_CHANGES))
_SEARCH = settings(
    database=None,
    deadline=None,
    max_examples=300,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
#: A slot of a household: up to 10 kWh.
_LARGEST = 10_000_000


def charges(kind: type[Charge] | str, pricing: Pricing | None = None) -> st.SearchStrategy[Any]:
    """Draw charges of a kind, as JSON has them, that a tariff may have.

    They are near the examples of the kind, or of the types of its fields; a kind that is about
    lines of earlier charges has those of its `examples_after` before it in the tariff.

    Args:
        kind: The class, or the name of an installed kind.
        pricing: Knows the kind; without it, all installed kinds are known.

    """
    known, class_ = _known(kind, pricing)
    if class_.examples:
        return near_examples(class_, known)
    return charge_documents(class_).filter(lambda document: fits(class_, document, known))


def tariffs(*kinds: type[Charge] | str, pricing: Pricing | None = None) -> st.SearchStrategy[Any]:
    """Draw tariffs of one version with a charge of each of *kinds*, as JSON has them.

    Charges that a kind is about come before; all of energy have one.
    """
    known = [_known(kind, pricing) for kind in kinds]
    drawn = st.tuples(*(charges(class_, pricing) for pricing, class_ in known))
    cases = drawn.map(
        lambda documents: [
            Case(class_, document, pricing)
            for (pricing, class_), document in zip(known, documents, strict=True)
        ]
    )
    return st.builds(_tariff, cases, st.sampled_from(_ZONES))


def _known(kind: type[Charge] | str, pricing: Pricing | None) -> tuple[Pricing, type[Charge]]:
    known = pricing or (Pricing.of() if isinstance(kind, str) else Pricing.of(kind))
    return known, known.kinds[kind] if isinstance(kind, str) else kind


def windows(zone: str = "UTC", days: int = 40) -> st.SearchStrategy[tuple[int, int]]:
    """Draw windows between local midnights, often around changes of the clock.

    Args:
        zone: The time zone.
        days: The longest window.

    Returns:
        When it starts and ends, in seconds since 1970-01-01T00:00Z.

    """
    changes = [change.day for change in CLOCK_CHANGES if change.zone == zone]
    anywhen = st.dates(date(2018, 1, 1), date(2028, 12, 31))
    near = st.sampled_from(changes) if changes else anywhen
    firsts = st.one_of(anywhen, st.builds(_earlier, near, st.integers(0, 3)))

    def bounds(first: date, length: int) -> tuple[int, int]:
        named = Zone.named(zone)
        return named.midnight(first), named.midnight(first + timedelta(length))

    return st.builds(bounds, firsts, st.integers(1, days))


@st.composite
def usage(
    draw: st.DrawFn,
    window: tuple[Instant, Instant] = (MONDAY, MONDAY + DAY),
    roles: Sequence[str] = ("import",),
    interval: int = 900,
) -> dict[str, Series]:
    """Draw readings of some roles in a window; they are not negative.

    Args:
        draw: Given by hypothesis.
        window: When it starts and ends, in seconds since 1970-01-01T00:00Z.
        roles: Whose readings.
        interval: The length of a slot in seconds.

    """
    start, end = window
    count = ceiling(end - start, interval)
    series = {}
    for role in roles:
        # A few drawn values, repeated: a year of them would be slow to draw.
        drawn = draw(st.lists(st.integers(0, _LARGEST), min_size=1, max_size=48))
        values = np.resize(np.array(drawn, np.int64), count)
        series[role] = Series(start, interval, values, np.full(count, ACTUAL, np.int8))
    return series


def found(class_: type[Charge], pricing: Pricing) -> Mapping[str, Any] | None:
    """Return a charge that costs something, the same one each time; None if there is none."""
    for worth in (True, False):
        priced = partial(_priced, class_, pricing, worth)
        try:
            drawn = charge_documents(class_)
            document: dict[str, Any] = find(drawn, priced, settings=_SEARCH, random=Random(1))
        except (hypothesis.errors.NoSuchExample, hypothesis.errors.Unsatisfiable):
            continue
        return document
    return None


def _priced(class_: type[Charge], pricing: Pricing, worth: bool, document: Any) -> bool:
    try:
        case = Case.of(class_, document, pricing)
        window = (MONDAY, MONDAY + DAY)
        used = case.priced(case.tariff(), *window)
        unused = case.priced(case.tariff(), *window, zero)
    except Invalid:
        return False
    return not worth or used.lines[1:] != unused.lines[1:]


def _tariff(cases: Sequence[Case], zone: str) -> dict[str, Any]:
    before = {
        document.get("code") or document["kind"]: document
        for case in cases
        for document in case.before
    }
    several = [{**document, "code": code} for code, document in before.items()]
    several += [{**case.document, "code": f"drawn-{index}"} for index, case in enumerate(cases)]
    version = {"valid_from": "1970-01-01", "charges": several}
    return {"name": "drawn", "currency": "EUR", "timezone": zone, "versions": [version]}


def _earlier(day: date, days: int) -> date:
    return day - timedelta(days)
