"""Net metering: exports offset imports period by period, and the rest is kept in a bank."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import attrs

from tests.accuracy.by_hand import days, energy
from tests.accuracy.by_hand.days import Month
from tests.accuracy.by_hand.energy import Energies
from tests.accuracy.by_hand.model import Document, Line, Part
from tests.accuracy.by_hand.tiers import tiered

#: Charges for energy that may be offset.
_KINDS: dict[str, Callable[[Document, Part, Energies], Sequence[Line]]] = {
    "energy.flat": energy.flat,
    "energy.time_of_use": energy.time_of_use,
    "energy.tiered": tiered,
}


@attrs.define
class Credit:
    """What is left of the exports of a month."""

    month: Month
    period: str | None
    kwh: Fraction
    expires: Month | None


@attrs.define
class Ledger:
    """The credits, oldest first, and the month of the last bill."""

    credits: list[Credit] = attrs.Factory(list)
    month: Month | None = None


def net_metering(charge: Document, part: Part) -> list[Line]:
    """Give back what the energy charges charged for imports that are offset."""
    offset_charges = [
        one
        for one in part.version["charges"]
        if one["kind"] in _KINDS
        and one["code"] in charge.get("of", {}).get("charges", [one["code"]])
    ]
    schedules = [one["schedule"] for one in offset_charges if "schedule" in one]
    banked: dict[str, Any] = {"schedule": schedules[0]} if schedules else {}
    imports = energy.by_period(banked, part, "import")
    exports = energy.by_period(banked, part, "export")
    ledger = part.memory.setdefault(charge["code"], Ledger())
    month = days.month_of(part.days[-1])
    ledger.credits = [one for one in ledger.credits if one.expires is None or one.expires >= month]
    offset = _offset(charge, part, imports, exports, ledger, month)
    lines = [line for one in offset_charges for line in _credit(charge, part, one, imports, offset)]
    lines += _true_up(charge, part, ledger)
    if part.window[1] == part.bill[1]:
        ledger.month = month
    return lines


def _offset(
    charge: Document,
    part: Part,
    imports: Energies,
    exports: Energies,
    ledger: Ledger,
    month: Month,
) -> Energies:
    """Return how much of the imports of each period is offset; what is left is banked."""
    never = Fraction(charge.get("uncompensated", 0)) * part.share
    offset: Energies = {}
    for period, imported in imports.items():
        offset[period] = min(max(imported - never, Fraction(0)), exports.get(period, Fraction(0)))
    for period, imported in imports.items():
        for credit in ledger.credits:
            if period is None or credit.period in (None, period):
                left = max(imported - never, Fraction(0)) - offset[period]
                taken = min(left, credit.kwh)
                offset[period] += taken
                credit.kwh -= taken
    expires = None
    if "expires_after" in charge:
        expires = days.months_before(month, -charge["expires_after"])
    if charge.get("rollover", "kwh") == "kwh":
        for period, exported in exports.items():
            own = min(max(imports.get(period, Fraction(0)) - never, Fraction(0)), exported)
            ledger.credits.append(Credit(month, period, exported - own, expires))
    ledger.credits = [credit for credit in ledger.credits if credit.kwh]
    return offset


def _credit(
    charge: Document, part: Part, offset_charge: Document, imports: Energies, offset: Energies
) -> list[Line]:
    """Return the difference between what is left and what was measured, line by line."""
    left = {period: imported - offset[period] for period, imported in imports.items()}
    if "schedule" not in offset_charge:
        left = {None: sum(left.values(), Fraction(0))}
        imports = {None: sum(imports.values(), Fraction(0))}
    charge_for = _KINDS[offset_charge["kind"]]
    quantities: dict[str, Fraction] = defaultdict(Fraction)
    lines = {}
    for sign, energies in ((-1, imports), (1, left)):
        for line in charge_for(offset_charge, part, energies):
            lines[line.code] = line
            quantities[line.code] += sign * (line.quantity or 0)
    code = charge["code"]
    given = []
    for name, quantity in quantities.items():
        line = lines[name]
        factor = Fraction(charge.get("credited", {}).get(line.component, 1))
        rate = (line.rate or Fraction(0)) * factor
        amount = quantity * part.unit_price(rate)
        given.append(
            attrs.evolve(
                line,
                code=f"{code}.{name}",
                charge=code,
                quantity=quantity,
                rate=rate,
                amount=amount,
            )
        )
    return given


def _true_up(charge: Document, part: Part, ledger: Ledger) -> list[Line]:
    """Pay for what is left in the bank, in the first bill that ends in a month or later."""
    rule = charge.get("true_up")
    is_last = part.window[1] == part.bill[1]
    if rule is None or not is_last or not _is_due(rule["month"], ledger, part):
        return []
    left = sum((credit.kwh for credit in ledger.credits), Fraction(0))
    ledger.credits = []
    if not left or rule.get("pay", "cash") == "lost":
        return []
    line = part.multiplied(charge, -left, Fraction(rule["rate"]), suffix="true_up")
    return [attrs.evolve(line, tags=[*line.tags, "true_up"])]


def _is_due(wanted: int, ledger: Ledger, part: Part) -> bool:
    """Return whether the month has come since the bill before, or in the first bill."""
    month = days.month_of(part.days[-1])
    before = ledger.month or days.months_before(days.month_of(part.bill_days[0]), 1)
    while month != before:
        if month[1] == wanted:
            return True
        month = days.months_before(month, 1)
    return False
