"""What usage costs under a tariff: exact lines, rounded once."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import attrs

from energia.errors import Fault, Invalid
from energia.metering.series import Series
from energia.pricing.charges import Measured
from energia.pricing.exact import decimal_text, exact_text
from energia.pricing.lines import Remembered, Step
from energia.pricing.rounding import Rounding
from energia.pricing.running import Item, Running, code_of
from energia.pricing.slots import Assumption, Slots
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.terms import Terms
from energia.pricing.usage import Days, cut


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
class Detail:
    """Where a line comes from.

    Attributes:
        charge: The code of its charge; None for the line that rounds the total.
        steps: How its amount, or else its quantity, was worked out.
        replaced_by: The codes of later charges that put another line into its place.
        rate_steps: How its rate was worked out, where later charges changed it.

    """

    charge: str | None
    steps: tuple[Step, ...] = ()
    replaced_by: tuple[str, ...] = ()
    rate_steps: tuple[str, ...] = ()


@attrs.frozen
class Cost:
    """What usage costs.

    Attributes:
        currency: ISO 4217.
        total: The sum of the lines' amounts.
        lines: What the charges charge, in their order.
        assumptions: What was taken for granted.
        state: What each charge remembers for the next bill, by its code.
        details: Where each of the lines comes from.
        measured: What the measures of each charge gave, by its code.

    """

    currency: str
    total: str
    lines: tuple[CostLine, ...]
    assumptions: tuple[Assumption, ...]
    state: Mapping[str, Remembered]
    details: tuple[Detail, ...]
    measured: Mapping[str, Measured]


def price(
    tariff: Tariff,
    usage: Mapping[str, Series],
    start: int,
    end: int,
    terms: Terms = Terms(),  # noqa: B008
) -> Cost:
    """Return what *usage* in the window [start, end) costs under *tariff*.

    Args:
        tariff: One version of it must be in force in all of the window.
        usage: The readings of each role that the tariff charges; they may reach further than the
            window. A slot is in the window that its start is in.
        start: When the window starts, in seconds since 1970-01-01T00:00Z.
        end: When it ends.
        terms: What the charges remember, what becomes of missing readings, where readings are.

    Raises:
        WindowCrossesVersions: The window crosses from one version to another.
        IncompleteUsage: Readings are missing.
        Invalid: No version is in force, or a role is missing.

    """
    version, slots = slots_of(tariff, usage, start, end, terms)
    run = Running(version.rounding, slots, dict(terms.state))
    for charge in version.charges:
        run.charge(charge)
    total, lines = _rounded(run.items, version.rounding, tariff.currency)
    details = [
        Detail(item.charge, item.line.steps, item.replaced_by, item.line.rate_steps)
        for item in run.items
    ]
    details += [Detail(None)] * (len(lines) - len(details))
    assumptions = tuple(slots.assumptions)
    return Cost(tariff.currency, total, lines, assumptions, run.state, tuple(details), run.measured)


def slots_of(
    tariff: Tariff, usage: Mapping[str, Series], start: int, end: int, terms: Terms
) -> tuple[Version, Slots]:
    """Return the version in force, and the usage as its measures see it; raises as `price`."""
    if end <= start:
        raise Invalid("the window is empty", [Fault("empty_window", "the window is empty")])
    version = tariff.in_force(start, end)
    zone, types = tariff.zone, version.types
    found = cut(usage, roles(version), (start, end), Days(zone, types), terms)
    return version, Slots(start, end, zone, types, found.portions, found.assumptions)


def measured_of(version: Version, slots: Slots) -> dict[str, Measured]:
    """Return what the measures of each charge give, by its code and their names."""
    return {
        code_of(charge): {
            name: measure.evaluate(slots) for name, measure in charge.measures().items()
        }
        for charge in version.charges
    }


def roles(version: Version) -> tuple[str, ...]:
    """Return the roles whose readings *version* takes, in the order of its charges."""
    measures = [measure for charge in version.charges for measure in charge.measures().values()]
    return tuple(dict.fromkeys(role for measure in measures for role in measure.roles))


def _rounded(
    items: Sequence[Item], rounding: Rounding, currency: str
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


def _line(item: Item, amount: str) -> CostLine:
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
