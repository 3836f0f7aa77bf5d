"""What usage costs under a tariff: exact lines, rounded once."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import attrs

from energia.errors import Fault, Invalid
from energia.metering.series import Series
from energia.pricing.charges import BillSoFar, Charge, Line, Measure
from energia.pricing.exact import decimal_text, exact_text, fraction
from energia.pricing.rounding import Rounding
from energia.pricing.slots import Assumption, Slots
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.usage import NOWHERE, cut


@attrs.frozen(kw_only=True)
class CostLine:
    """One line of a cost.

    Attributes:
        code: `<charge code>[.<period>][.<component>]`.
        description: For a person.
        quantity: How much, in `unit`; one that no decimal ends is rounded to six.
        unit: The unit of the quantity.
        rate: The price of one unit that was multiplied.
        amount: In the tariff's currency, rounded as the tariff says.
        exact: The amount before rounding: a decimal, or n/d where none ends.
        period: The period of the schedule.
        component: The part of the rate.

    """

    code: str
    description: str
    quantity: str | None = None
    unit: str | None = None
    rate: str | None = None
    amount: str
    exact: str
    period: str | None = None
    component: str | None = None


@attrs.frozen
class Cost:
    """What usage costs.

    Attributes:
        currency: ISO 4217.
        total: The sum of the lines' amounts.
        lines: What the charges charge, in their order.
        assumptions: What was taken for granted.

    """

    currency: str
    total: str
    lines: tuple[CostLine, ...]
    assumptions: tuple[Assumption, ...]


@attrs.frozen
class _Item:
    """A line with its exact amount, and the text of the rate that was multiplied."""

    line: Line
    exact: Fraction
    rate: str | None


def price(
    tariff: Tariff,
    usage: Mapping[str, Series],
    start: int,
    end: int,
    pointers: Mapping[str, str] = NOWHERE,
) -> Cost:
    """Return what *usage* in the window [start, end) costs under *tariff*.

    Args:
        tariff: One version of it must be in force in all of the window.
        usage: The readings of each role that the tariff charges; they may reach further than the
            window. A slot is in the window that its start is in.
        start: When the window starts, in seconds since 1970-01-01T00:00Z.
        end: When it ends.
        pointers: Where the readings of each role are in the request that they came with.

    Raises:
        WindowCrossesVersions: The window crosses from one version to another.
        IncompleteUsage: Readings are missing.
        Invalid: No version is in force, or a role is missing.

    """
    if end <= start:
        raise Invalid("the window is empty", [Fault("empty_window", "the window is empty")])
    version = tariff.in_force(start, end)
    measures = [charge.measures() for charge in version.charges]
    found = cut(usage, _roles(measures), (start, end), tariff.zone, pointers)
    slots = Slots(start, end, tariff.zone, version.types, found.portions, found.assumptions)
    items = _items(version, measures, slots)
    total, lines = _rounded(items, version.rounding, tariff.currency)
    return Cost(tariff.currency, total, lines, tuple(slots.assumptions))


def roles(version: Version) -> tuple[str, ...]:
    """Return the roles whose readings *version* takes, in the order of its charges."""
    return _roles([charge.measures() for charge in version.charges])


def _roles(measures: Sequence[Mapping[str, Measure]]) -> tuple[str, ...]:
    named = [role for each in measures for measure in each.values() for role in measure.roles]
    return tuple(dict.fromkeys(named))


def _items(
    version: Version, measures: Sequence[Mapping[str, Measure]], slots: Slots
) -> list[_Item]:
    """Run the charges in their order; each sees the exact lines of those before it."""
    items: list[_Item] = []
    known: dict[Measure, Mapping[str, int]] = {}
    so_far: list[Line] = []
    for charge, named in zip(version.charges, measures, strict=True):
        for measure in named.values():
            if measure not in known:
                known[measure] = measure.evaluate(slots)
        measured = {name: known[measure] for name, measure in named.items()}
        for item in _exact(charge, measured, so_far, version.rounding):
            items.append(item)
            so_far.append(attrs.evolve(item.line, amount=item.exact))
    return items


def _exact(
    charge: Charge,
    measured: Mapping[str, Mapping[str, int]],
    so_far: Sequence[Line],
    rounding: Rounding,
) -> Iterator[_Item]:
    for line in charge.lines(measured, BillSoFar(tuple(so_far))):
        rate, text = (None, None) if line.rate is None else rounding.rate(line.rate)
        if line.amount is not None:
            yield _Item(line, fraction(line.amount), text)
        elif line.quantity is not None and rate is not None:
            yield _Item(line, fraction(line.quantity) * rate, text)
        else:
            raise TypeError(f"{charge.kind}: a line needs an amount, or a quantity and a rate")


def _rounded(
    items: Sequence[_Item], rounding: Rounding, currency: str
) -> tuple[str, tuple[CostLine, ...]]:
    digits = rounding.digits(currency)
    of_lines = digits if rounding.level == "line" else None
    amounts = [rounding.amount(item.exact, of_lines) for item in items]
    lines = [_line(item, text) for item, (_, text) in zip(items, amounts, strict=True)]
    total = sum((amount for amount, _ in amounts), Fraction(0))
    if digits is None or rounding.level == "line":
        return _money(total, digits), tuple(lines)
    paid, text = rounding.amount(total, digits)
    difference = exact_text(paid - total)
    lines.append(
        CostLine(code="rounding", description="Rounding", amount=difference, exact=difference)
    )
    return text, tuple(lines)


def _money(total: Fraction, digits: int | None) -> str:
    """Return the text of a sum of amounts that have *digits* decimals already."""
    return Rounding().amount(total, digits)[1]


def _line(item: _Item, amount: str) -> CostLine:
    line = item.line
    return CostLine(
        code=line.code,
        description=line.description,
        amount=amount,
        exact=exact_text(item.exact),
        quantity=None if line.quantity is None else decimal_text(line.quantity),
        unit=line.unit,
        rate=item.rate,
        period=line.period,
        component=line.component,
    )
