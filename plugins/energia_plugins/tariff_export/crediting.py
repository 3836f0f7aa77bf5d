"""Lines that credit the lines of energy charges: what they would be, less what they are."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction

import attrs

from energia.pricing.charges import Line, Measured, Step
from energia.pricing.exact import decimal_text, fraction
from energia_plugins.tariff_export.site import Site

#: How a quantity that is credited on a line was worked out.
Notes = Callable[[Line], tuple[Step, ...]]


def credits(site: Site, code: str, left: Measured, notes: Notes) -> Iterator[Line]:
    """Yield what the energy charge *code* charges less if it measures what is *left*.

    There is a line for each of its lines that the charge is about, with its period, component and
    tags, so that taxes tell them apart.
    """
    after = _by_code(site.bill.again(code, left))
    for old in site.bill.again(code, {}):
        if site.charge.of.matches(old):
            yield from _credit(site, old, after.get(old.code), notes(old))


def like(site: Site, name: str, old: Line, line: Line) -> Line:
    """Return *line* as one about *old*: with its code, period, component and tags."""
    charge = site.charge
    code = ".".join(part for part in (charge.code or charge.kind, name, old.code) if part)
    described = f"{charge.description or charge.code or charge.kind}: {old.description}"
    return attrs.evolve(
        line,
        code=code,
        description=described,
        period=old.period,
        component=old.component,
        tags=tuple(dict.fromkeys((*line.tags, *old.tags))),
    )


def _credit(site: Site, old: Line, new: Line | None, notes: tuple[Step, ...]) -> Iterator[Line]:
    before, after = fraction(old.amount or 0), fraction(new.amount or 0) if new else Fraction(0)
    share = _share(site, old.component)
    if before == after:
        return
    quantity = _quantity(new) - _quantity(old)
    if _proportional(old, new):
        steps = notes if sum(step.value for step in notes) == quantity else _two(old, new)
        rate = old.rate if share == 1 else fraction(old.rate or 0) * share
        line = site.charge.line(quantity, rate, old.unit, steps=steps)
    else:
        steps = _amounts(before, after, share)
        line = site.charge.line(
            quantity, None, old.unit, amount=(after - before) * share, steps=steps
        )
    yield like(site, "", old, line)


def _share(site: Site, component: str | None) -> Fraction:
    return Fraction((site.charge.credited or {}).get(component or "", Decimal(1)))


def _proportional(old: Line, new: Line | None) -> bool:
    """Tell whether both are quantities of one price, so that their difference is too."""
    if not old.quantity or old.rate is None or (new and new.rate != old.rate):
        return False
    price = fraction(old.amount or 0) / fraction(old.quantity)
    return new is None or _quantity(new) * price == fraction(new.amount or 0)


def _quantity(line: Line | None) -> Fraction:
    return fraction(line.quantity or 0) if line else Fraction(0)


def _two(old: Line, new: Line | None) -> tuple[Step, ...]:
    values = (("as imported", -_quantity(old)), ("left to be charged", _quantity(new)))
    return tuple(Step(text, decimal_text(value), value) for text, value in values)


def _amounts(before: Fraction, after: Fraction, share: Fraction) -> tuple[Step, ...]:
    factor = "" if share == 1 else f" x {decimal_text(share)}"
    return tuple(
        Step(text, f"{decimal_text(value)}{factor}", value * share)
        for text, value in (("as imported", -before), ("left to be charged", after))
    )


def _by_code(lines: tuple[Line, ...]) -> Mapping[str, Line]:
    return {line.code: line for line in lines}
