"""Energy at one rate, at the rate of its period, and at the price of its slot."""

from collections import defaultdict
from fractions import Fraction

from tests.accuracy.by_hand.model import Document, Line, Part, components, kwh, stated

#: Energy by period; None is that of no schedule.
Energies = dict[str | None, Fraction]


def by_period(charge: Document, part: Part, role: str | None = None) -> Energies:
    """Return the energy of each period that has a slot in the part."""
    sums: dict[str | None, int] = defaultdict(int)
    for instant, micro in part.site.slots(role or charge.get("channel", "import"), *part.window):
        sums[part.period(charge.get("schedule"), instant)] += micro
    return {period: kwh(micro) for period, micro in sums.items()}


def flat(charge: Document, part: Part, energies: Energies | None = None) -> list[Line]:
    """Charge all energy at one rate."""
    energy = sum((energies or by_period(charge, part)).values(), Fraction(0))
    return [
        part.multiplied(charge, energy, rate, component=name)
        for name, rate in components(stated(charge)).items()
    ]


def time_of_use(charge: Document, part: Part, energies: Energies | None = None) -> list[Line]:
    """Charge the energy of each period at its rate."""
    return [
        part.multiplied(charge, energy, rate, period=period, component=name)
        for period, energy in (energies or by_period(charge, part)).items()
        for name, rate in components(charge["rates"][period]).items()
    ]


def dynamic(charge: Document, part: Part) -> list[Line]:
    """Charge each slot at the mean of the prices in it."""
    sums: dict[Fraction, int] = defaultdict(int)
    for instant, micro in part.site.slots(charge.get("channel", "import"), *part.window):
        price = _mean(charge, part, instant) * Fraction(charge.get("multiplier", 1))
        price += Fraction(charge.get("adder", 0))
        if "floor" in charge:
            price = max(price, Fraction(charge["floor"]))
        if "cap" in charge:
            price = min(price, Fraction(charge["cap"]))
        sums[part.unit_price(price)] += micro
    total = sum((price * kwh(micro) for price, micro in sums.items()), Fraction(0))
    code = charge.get("code", charge["kind"])
    return [Line(code, code, total, tags=charge.get("tags", ()))]


def _mean(charge: Document, part: Part, instant: int) -> Fraction:
    """Return the mean of the prices in a slot, each for as long as it lasts."""
    series, interval = part.site.prices[charge["series"]], part.site.interval
    # The series is regular: look where the slot must be.
    step = series[0].end - series[0].start
    first = (instant - series[0].start) // step
    last = (instant + interval - 1 - series[0].start) // step
    total = Fraction(0)
    for price in series[first : last + 1]:
        lasts = min(price.end, instant + interval) - max(price.start, instant)
        total += price.price * lasts
    return total / interval
