"""One charge under test: an example of its kind, priced over made-up usage."""

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, cast

import attrs

from energia.errors import Invalid
from energia.metering.series import Series
from energia.pricing.charges import Charge, Measured, UnitPrices
from energia.pricing.engine import Cost, Running, price
from energia.pricing.explain import Charged, ExplainedLine, explain
from energia.pricing.lines import Line, Remembered, Selection
from energia.pricing.measures import Energy, EnergyByPeriod
from energia.pricing.segments import roles, segments
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms
from energia.testing.outcome import Failed
from energia.testing.pricing import Document, Pricing, made_up
from energia.testing.usage import Load, household, series
from energia.time import DAY, Instant

#: Exact amounts: what is rounded could hide a difference.
EXACT: Final = {"amount_decimals": None}
#: The lengths of slots that are tried, in their order: some kinds need fine readings.
_INTERVALS: Final = (900, 3600, 1800, 300, 60)
#: 2026-03-02T00:00Z, a Monday.
MONDAY: Final = 1_772_409_600
#: Stands before every charge that is checked, so that there is a bill to look at.
_BEFORE: Final = {"kind": "energy.flat", "code": "energia-check", "rate": "0.1"}

#: A line as two bills are compared by: code, quantity, rate, exact amount.
Fact = tuple[str, str | None, str | None, str]


@attrs.frozen(eq=False)
class Case:
    """A charge under test.

    Attributes:
        class_: Its class.
        document: Its JSON.
        pricing: Knows its kind, and those of charges before it.
        interval: The length of the slots it is priced over, in seconds.

    """

    class_: type[Charge]
    document: Document
    pricing: Pricing
    interval: int = _INTERVALS[0]

    @classmethod
    def of(cls, class_: type[Charge], document: Document, pricing: Pricing) -> "Case":
        """Return the case with the first interval that the charge can be priced over.

        Raises:
            Invalid: The document does not fit, or it can be priced over none.

        """
        refusals: list[Invalid] = []
        for interval in _INTERVALS:
            case = Case(class_, document, pricing, interval)
            try:
                case.priced(case.tariff(), MONDAY, MONDAY + DAY)
            except Invalid as error:
                refusals.append(error)
            else:
                return case
        raise refusals[0]

    @cached_property
    def code(self) -> str:
        """The code of the charge."""
        return self.document.get("code") or self.class_.kind

    @cached_property
    def before(self) -> tuple[Document, ...]:
        """The charges that come before it: those it is about, and one in any case."""
        given = tuple(self.class_.examples_after)
        known = {document.get("code") or document["kind"] for document in given}
        selected = dict.fromkeys(_selected(self.pricing.charge(self.document)))
        more = [{**_BEFORE, "code": code} for code in selected if code not in known]
        return (_BEFORE, *given, *more)

    def tariff(self, zone: str = "UTC", document: Document | None = None, **version: Any) -> Tariff:
        """Return a tariff with the charge, or with *document* in its place; raises `Invalid`."""
        # One of the charges before may be of the same kind, so it has a code.
        charges = (*self.before, {"code": self.code, **(document or self.document)})
        return self.pricing.tariff(charges, zone=zone, **{"rounding": EXACT, **version})

    def tariff_of_two(self, zone: str, follows: date) -> Tariff:
        """Return a tariff whose second version, from a date on, is the same as the first."""
        charges = [*self.before, {"code": self.code, **self.document}]
        versions = [
            {"valid_from": "1970-01-01", "valid_to": f"{follows}", "charges": charges},
            {"valid_from": f"{follows}", "charges": charges},
        ]
        return self.pricing.tariff_of_versions(versions, zone=zone)

    def priced(
        self,
        tariff: Tariff,
        start: Instant,
        end: Instant,
        load: Load = household,
        state: Mapping[str, Remembered] | None = None,
    ) -> Cost:
        """Return what *load* costs in the window [start, end) (seconds); raises `Invalid`."""
        usage = self.usage(tariff, start, end, load)
        terms = Terms(state=state or {}, prices=made_up(tariff, start, end))
        return price(tariff, usage, start, end, terms)

    def usage(
        self, tariff: Tariff, start: Instant, end: Instant, load: Load = household
    ) -> Mapping[str, Series]:
        """Return the readings of every role that *tariff* charges; nobody can write to them."""
        return {
            role: series(load, role, start, end, self.interval) for role in roles(tariff.versions)
        }


def facts(cost: Cost) -> tuple[Fact, ...]:
    """Return what a bill is compared by."""
    return tuple((line.code, line.quantity, line.rate, line.exact) for line in cost.lines)


def same(left: tuple[Fact, ...], right: tuple[Fact, ...], what: str) -> None:
    """Refuse two bills that should be one, naming the first line that differs."""
    if left == right:
        return
    for left_fact, right_fact in zip(left, right, strict=False):
        if left_fact != right_fact:
            raise Failed(f"{what}: {_told(left_fact)} and {_told(right_fact)}")
    longer = max(left, right, key=len)[min(len(left), len(right))]
    raise Failed(f"{what}: only one of them has {_told(longer)}")


def refusal(error: Invalid) -> str:
    """Return why something was refused, with the first place."""
    if not error.faults:
        return error.detail
    fault = error.faults[0]
    return f"{fault.pointer}: {fault.message}" if fault.pointer else fault.message


def _told(fact: Fact) -> str:
    code, quantity, rate, exact = fact
    by = "" if quantity is None or rate is None else f" ({quantity} x {rate})"
    return f"{code} = {exact}{by}"


def _selected(value: object) -> Iterator[str]:
    """Yield the codes of the charges that a charge is about."""
    if isinstance(value, Selection):
        yield from value.charges or ()
    elif attrs.has(type(value)):
        for name in attrs.fields_dict(cast("type[attrs.AttrsInstance]", type(value))):
            yield from _selected(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _selected(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _selected(item)


# What the checks ask the pricing engine besides a bill.


def exact_lines(
    tariff: Tariff, usage: Mapping[str, Series], start: Instant, end: Instant
) -> tuple[Line, ...]:
    """Return the lines as the charges state them, before anything is rounded or written."""
    lines: list[Line] = []
    terms = Terms(prices=made_up(tariff, start, end))
    for segment in segments(tariff, usage, start, end, terms):
        run = Running(segment.version.rounding, {})
        for due in segment.dues:
            run.charge(due)
        lines += [item.line for item in run.items]
    return tuple(lines)


def explained_lines(
    tariff: Tariff, usage: Mapping[str, Series], start: Instant, end: Instant
) -> tuple[ExplainedLine, ...]:
    """Return where each line of a bill comes from, all of it measured again."""
    terms = Terms(prices=made_up(tariff, start, end))
    cost = price(tariff, usage, start, end, terms)
    cut = segments(tariff, usage, start, end, terms)
    return explain(Charged.of(cost), cut, cost.currency)


def energy_by_period(
    tariff: Tariff,
    usage: Mapping[str, Series],
    window: tuple[Instant, Instant],
    prices: UnitPrices,
    role: str,
) -> Mapping[str, int]:
    """Return the micro-units of *role* in each period of unit prices, by the names of its rates."""
    (segment,) = segments(tariff, usage, *window, Terms(prices=made_up(tariff, *window)))
    slots = segment.dues[-1].slots
    if prices.schedule is None:
        return {"": Energy(role).evaluate(slots)["total"]}
    return EnergyByPeriod(prices.schedule, role).evaluate(slots)


def measured(cost: Cost, code: str) -> Measured:
    """Return what the measures of the charge *code* gave for a bill under one version."""
    return cost.parts[-1].measured[code]


# The value of an expression as steps show it: `15.50 x 1/31`.

_ARITHMETIC: Final = re.compile(r"[\d\s.+\-*/()x×%]+")  # noqa: RUF001 - the sign
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_LONGEST: Final = 2000


def value_of(expression: str) -> Fraction | None:
    """Return the value of an expression; None where it is more than arithmetic."""
    if len(expression) > _LONGEST or not _ARITHMETIC.fullmatch(expression):
        return None
    text = re.sub(r"[x×]", "*", expression)  # noqa: RUF001 - the sign
    text = re.sub(r"([\d.]+) ?%", r"(\1/100)", text)
    try:
        return _value(ast.parse(text.strip(), mode="eval").body, text.strip())
    except (SyntaxError, ZeroDivisionError, ValueError):
        return None


def _value(node: ast.expr, text: str) -> Fraction:
    if isinstance(node, ast.Constant):
        return Fraction(str(ast.get_source_segment(text, node)))
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, text)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left, text), _value(node.right, text)
        return _OPERATORS[type(node.op)](left, right)
    raise ValueError(text)
