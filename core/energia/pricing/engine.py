"""What usage costs under a tariff: exact lines, rounded once."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

import attrs

from energia import tracing
from energia.errors import EnergiaError
from energia.pricing.allowance import Allowance
from energia.pricing.batch import (
    SameVersion,
    Windows,
    program,
    program_chain,
    program_chain_now,
    program_now,
    readings,
)
from energia.pricing.charges import Measure
from energia.pricing.cost import Cost, CostLine, CostPart, Detail, Item, as_money, exact, printed
from energia.pricing.exact import exact_text
from energia.pricing.lines import Remembered
from energia.pricing.program import Program, Readings, Window
from energia.pricing.rounding import ENDLESS, Rounded, round_bill
from energia.pricing.running import Running
from energia.pricing.segments import Segment, segments
from energia.pricing.slots import Assumption, Slots
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.usage import Terms, Usage
from energia.pricing.wording import ENGLISH, Texts, in_language
from energia.time import Instant
from energia.work import checkpoint

__all__ = [
    "Cost",
    "CostLine",
    "CostPart",
    "Detail",
    "Item",
    "Running",
    "as_money",
    "exact",
    "price",
    "price_batch",
    "price_by_charges",
    "price_chain",
    "price_chains",
    "priced",
]

_ROUNDING: Final[Texts] = {"en": "Rounding", "pt-BR": "Arredondamento"}


def price(
    tariff: Tariff,
    usage: Usage,
    start: Instant,
    end: Instant,
    terms: Terms = Terms(),  # noqa: B008
) -> Cost:
    """Return what *usage* in the window [start, end) costs under *tariff*.

    A window that crosses from one version to another is cut there, and each part priced by its own
    version. Rates are rounded as their version says, amounts as the version at the end says.

    Args:
        tariff: Some version of it must be in force at any time of the window.
        usage: The readings of each role that the tariff charges, or of each of the channels that
            are summed for it; they may reach further than the window. A slot is in the window that
            its start is in.
        start: When the window starts, in seconds since 1970-01-01T00:00Z.
        end: When it ends.
        terms: What the charges remember, how missing readings are treated, where readings are.

    Raises:
        IncompleteUsage: Readings are missing.
        Invalid: No version is in force, or a role is missing.

    """
    prepared = _prepared(tariff, usage, start, end)
    if prepared is not None:
        compiled, meter = prepared
        with tracing.span("pricing.charges") as charging:
            cost = compiled.cost(meter, terms)
            charging.note({"energia.lines": 0 if cost is None else len(cost.lines)})
        if cost is not None:
            return cost
    return price_by_charges(tariff, usage, start, end, terms)


def price_by_charges(
    tariff: Tariff,
    usage: Usage,
    start: Instant,
    end: Instant,
    terms: Terms = Terms(),  # noqa: B008
) -> Cost:
    """Return what `price` does, asked of the charges: nothing is kept for another time."""
    with tracing.span("pricing.segments") as cutting:
        cut = segments(tariff, usage, start, end, terms)
        cutting.note({"energia.segments": len(cut)})
    with tracing.span("pricing.charges") as charging:
        cost = priced(tariff.currency, cut, terms.state, allowance=terms.allowance)
        charging.note({"energia.lines": len(cost.lines)})
    return cost


def price_chain(
    tariff: Tariff, usage: Usage, bounds: Sequence[Instant], terms: Terms
) -> list[Cost] | None:
    """Return what windows that follow each other cost, where that is known by numbers alone.

    None where it is not, or not yet; nothing that a charge remembers goes from one to the next.
    """
    version = _only_version(tariff, bounds[0], bounds[-1])
    found = None if version is None else readings(usage, version.roles, bounds[0], bounds[-1])
    if version is None or found is None:
        return None
    meter, intervals = found
    windows = Windows(tuple(bounds), tariff.zone, tariff.currency, intervals)
    chain = program_chain(SameVersion(version), windows)
    return None if chain is None else chain.cost(meter, terms)


def _prepared(
    tariff: Tariff, usage: Usage, start: Instant, end: Instant
) -> tuple[Program, Readings] | None:
    """Return the program for a meter, and its readings; None where there is none, or not yet."""
    version = _only_version(tariff, start, end)
    found = None if version is None else readings(usage, version.roles, start, end)
    if version is None or found is None:
        return None
    meter, intervals = found
    window = Window(start, end, tariff.zone, tariff.currency, intervals)
    compiled = program(SameVersion(version), window)
    return None if compiled is None else (compiled, meter)


def _only_version(tariff: Tariff, start: Instant, end: Instant) -> Version | None:
    """Return the version that is in force in all of a window; None where several follow."""
    if end <= start:
        return None
    spans = tariff.in_force(start, end)
    return spans[0].version if len(spans) == 1 else None


def price_batch(
    tariff: Tariff,
    usages: Sequence[Usage],
    start: Instant,
    end: Instant,
    terms: Terms | Sequence[Terms] = Terms(),  # noqa: B008
) -> list[Cost | Exception]:
    """Return what each of many meters costs in a window under one tariff, as `price` would.

    What they share is worked out once; what differs are some numbers of each meter, where the
    charges can be told so. Those of which they cannot, or whose readings need a closer look, are
    priced one by one.

    Args:
        tariff: Some version of it must be in force at any time of the window.
        usages: The readings of each meter, as `price` has them.
        start: When the window starts, in seconds since 1970-01-01T00:00Z.
        end: When it ends.
        terms: Those of each meter, or of all.

    Returns:
        The costs, in the order of *usages*; in the place of one, why there is none: what `price`
        raises for it.

    """
    own = [terms] * len(usages) if isinstance(terms, Terms) else list(terms)
    costs: list[Cost | Exception | None] = [None] * len(usages)
    for same, intervals, places, meters in _alike(tariff, usages, start, end):
        window = Window(start, end, tariff.zone, tariff.currency, intervals)
        compiled = (program_now if len(places) > 1 else program)(same, window)
        if compiled is not None:
            with _uncollected():
                found = list(compiled.costs(meters, [own[at] for at in places]))
            for at, cost in zip(places, found, strict=True):
                costs[at] = cost
    return [
        _alone(tariff, usages[at], start, end, own[at]) if cost is None else cost
        for at, cost in enumerate(costs)
    ]


def price_chains(
    tariff: Tariff,
    usages: Sequence[Usage],
    bounds: Sequence[Instant],
    terms: Terms = Terms(),  # noqa: B008
) -> list[list[Cost] | None]:
    """Return what windows that follow each other cost, of each of many meters.

    Args:
        tariff: The tariff.
        usages: The readings of each meter, as `price` has them.
        bounds: When the windows start, and when the last one ends; two at least.
        terms: Those of all meters.

    Returns:
        The costs of the windows, in the order of *usages*; None in the place of a meter that is to
        be priced by itself (`energia.costing.groups.price_groups`).

    """
    costs: list[list[Cost] | None] = [None] * len(usages)
    for same, intervals, places, meters in _alike(tariff, usages, bounds[0], bounds[-1]):
        windows = Windows(tuple(bounds), tariff.zone, tariff.currency, intervals)
        chain = (program_chain_now if len(places) > 1 else program_chain)(same, windows)
        if chain is not None:
            with _uncollected():
                found = list(chain.costs(meters, [terms] * len(places)))
            for at, each in zip(places, found, strict=True):
                costs[at] = each
    return costs


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let no cycles be looked for meanwhile: bills of many meters are many objects without any.

    They would be looked at again and again while they become more, which takes as long as making
    them. What is used no longer goes all the same.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


#: The version of a window, the lengths of slots, the places of meters that have these, and their
#: readings.
_Alike = tuple[SameVersion, tuple[tuple[str, int], ...], list[int], list[Readings]]


def _alike(
    tariff: Tariff, usages: Sequence[Usage], start: Instant, end: Instant
) -> Iterator[_Alike]:
    """Yield meters that programs of a window may be for, those together whose slots are alike."""
    try:
        version = _only_version(tariff, start, end)
        roles = () if version is None else version.roles
    except EnergiaError:
        return  # each of them is told
    if version is None:
        return
    alike: dict[tuple[tuple[str, int], ...], tuple[list[int], list[Readings]]] = {}
    for at, usage in enumerate(usages):
        found = readings(usage, roles, start, end)
        if found is not None:
            places, meters = alike.setdefault(found[1], ([], []))
            places.append(at)
            meters.append(found[0])
    for intervals, (places, meters) in alike.items():
        yield SameVersion(version), intervals, places, meters


def _alone(
    tariff: Tariff, usage: Usage, start: Instant, end: Instant, terms: Terms
) -> Cost | Exception:
    checkpoint()
    try:
        return price(tariff, usage, start, end, terms)
    except Exception as error:
        return error


def priced(
    currency: str,
    cut: Sequence[Segment],
    before: Mapping[str, Remembered],
    known: Mapping[tuple[Slots, Measure], Mapping[str, int]] = MappingProxyType({}),
    allowance: Allowance | None = None,
) -> Cost:
    """Return what the segments of a window cost, given what the charges remember.

    A measure that is *known* of the usage that it is about is not evaluated.

    Raises:
        TooLarge: There are more lines than *allowance* has.

    """
    state, runs = dict(before), list[Running]()
    allowance = allowance or Allowance()
    allowance.begin()
    for segment in cut:
        rounding = segment.version.rounding
        language = segment.version.language or ENGLISH
        runs.append(Running(rounding, state, allowance, language, known=dict(known)))
        for due in segment.dues:
            runs[-1].charge(due)
    parts = tuple(
        CostPart(segment.version.valid_from, run.measured)
        for segment, run in zip(cut, runs, strict=True)
    )
    charged = [_Charged(item, part) for part, run in enumerate(runs) for item in run.items]
    exact_lines = [line for run in runs for line in run.lines]
    bill = round_bill(exact_lines, cut[-1].version.rounding, currency)
    lines, details = list[CostLine](), list[Detail]()
    for amount in bill.amounts:
        line, detail = _printed(amount, charged, parts, cut[-1].version.language or ENGLISH)
        lines.append(line)
        details.append(detail)
    assumptions = (*cut[0].assumptions, *_endless(bill.endless))
    return Cost(currency, bill.total, tuple(lines), assumptions, state, tuple(details), parts)


def _endless(number: int) -> Iterator[Assumption]:
    """Tell of amounts that a tariff without decimals leaves exact, and that no decimal is."""
    if number:
        message = f"amounts of {number} lines, which are not to be rounded, end in no decimal: "
        message += f"they are shown with {ENDLESS} decimals, and `exact` has them"
        yield Assumption("amounts_shown_rounded", message, number)


@attrs.frozen
class _Charged:
    """A line, and which part of the cost charges it."""

    item: Item
    part: int

    def detail(self, rule: int | None) -> Detail:
        """Return where the line comes from, which a rule of rounding may be about."""
        item = self.item
        line = item.line
        return Detail(item.charge, line.steps, item.replaced_by, self.part, line.rate_steps, rule)


def _printed(
    amount: Rounded, charged: Sequence[_Charged], parts: Sequence[CostPart], language: str
) -> tuple[CostLine, Detail]:
    """Return what is printed for an amount, and where it comes from."""
    if amount.line is None:
        name = (amount.code or "").partition(".")[2]
        line = CostLine(
            code=amount.code or "",
            description=f"{in_language(_ROUNDING, language)} {name}".rstrip(),
            amount=amount.text,
            exact=exact_text(amount.exact),
        )
        return line, Detail(None, part=len(parts) - 1, rule=amount.rule)
    source = charged[amount.line]
    version = parts[source.part].version if len(parts) > 1 else None
    return printed(source.item, amount.text, version), source.detail(amount.rule)
