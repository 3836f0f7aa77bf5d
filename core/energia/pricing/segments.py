"""A window cut where one version of a tariff follows another: what each of them charges.

A charge is worked out on the part of the window in which its version is in force. One whose
`across_versions` is `last`, such as a demand maximum, is worked out once, by the last of the
versions that have it, on all of their parts. Where a version between them lacks it, what its
measures give before and after is merged; one whose measures do not merge is worked out by the last
of each run of versions.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from functools import reduce
from typing import TypeAlias

import attrs

from energia.errors import IncompleteUsage, Inexact, Invalid
from energia.pricing.charges import Charge, Measure, Measured, Mergeable, code_of, measures_of
from energia.pricing.exact import whole
from energia.pricing.market.needs import refuse_unfit, series_of
from energia.pricing.schedule import DayList, DayTypes
from energia.pricing.slots import (
    VERSION_AT_START,
    VERSION_BEGINS,
    Assumption,
    Portion,
    Slots,
    boundary_inside,
    spread,
)
from energia.pricing.tariffs import InForce, Tariff, Version
from energia.pricing.usage import Days, Terms, Usage, all_gaps, cut
from energia.time import Instant

#: Gives what a measure is of some usage.
Evaluate: TypeAlias = Callable[[Measure, Slots], Mapping[str, int]]


def _evaluate(measure: Measure, slots: Slots) -> Mapping[str, int]:
    return measure.evaluate(slots)


@attrs.frozen(eq=False)
class Due:
    """A charge, and the usage that it is about.

    Attributes:
        charge: The charge.
        slots: The usage; where versions between lack the charge, that after the last of them.
        before: The usage before each of these, in the order of time.

    """

    charge: Charge
    slots: Slots
    before: tuple[Slots, ...] = ()

    def measured(self, evaluate: Evaluate = _evaluate) -> Measured:
        """Return what the measures of the charge give of all its usage, by their names."""
        windows = (*self.before, self.slots)
        measured = {
            name: of_windows(measure, [evaluate(measure, slots) for slots in windows])
            for name, measure in measures_of(self.charge).items()
        }
        for name, values in measured.items():
            self._refuse_inexact(name, values)
        return measured

    def _refuse_inexact(self, name: str, values: Mapping[str, int]) -> None:
        """Refuse a measure of which a value is no Python int; raises `Inexact`."""
        for label, value in values.items():
            try:
                whole(value)
            except Inexact as error:
                place = f"charge {code_of(self.charge)}: measure {name!r}: {label!r}"
                raise Inexact(f"{place}: {error.detail}") from None


@attrs.frozen(eq=False)
class Segment:
    """What one version charges.

    Attributes:
        version: The version.
        dues: Its charges in their order, but for those that a later version works out.
        assumptions: What is taken for granted, which all segments of a window share.

    """

    version: Version
    dues: tuple[Due, ...]
    assumptions: Mapping[Assumption, None]

    def measured(self) -> dict[str, Measured]:
        """Return what the measures of each charge give, by its code and their names."""
        return {code_of(due.charge): due.measured() for due in self.dues}


def of_windows(measure: Measure, values: Sequence[Mapping[str, int]]) -> Mapping[str, int]:
    """Return what a measure is of several windows, given what it is of each, in their order."""
    if len(values) == 1:
        return values[0]
    if not isinstance(measure, Mergeable):
        raise TypeError(f"{type(measure).__name__} cannot be merged")
    return reduce(measure.merge, values)


def segments(
    tariff: Tariff, usage: Usage, start: Instant, end: Instant, terms: Terms
) -> tuple[Segment, ...]:
    """Return what each version charges of the window [start, end), in the order of time.

    Raises:
        IncompleteUsage: Readings are missing.
        Invalid: The window is empty, a part of it has no version in force, or a role is missing.

    """
    if end <= start:
        raise Invalid.of("empty_window", "the window is empty")
    spans = tariff.in_force(start, end)
    _refuse_unlisted([span.version for span in spans])
    refuse_unfit(series_of([span.version for span in spans]), terms.prices, tariff.currency)
    plan = _plan([span.version for span in spans])
    cutter = _Cutter(tariff, spans, terms, dict.fromkeys(terms.assumptions))
    cutter.cut(usage, _needs(plan))
    return tuple(
        Segment(
            span.version,
            tuple(cutter.due(charge, runs) for charge, runs in due),
            cutter.assumptions,
        )
        for span, due in zip(spans, plan, strict=True)
    )


def _refuse_unlisted(versions: Sequence[Version]) -> None:
    for version in versions:
        if version.lacks_holidays:
            message = (
                f"the version of {version.valid_from} names lists of holidays: their dates become "
                "known when the tariff is saved; else give them in `holidays`"
            )
            raise Invalid.of("unknown_holidays", message)


def roles(versions: Collection[Version]) -> tuple[str, ...]:
    """Return the roles whose readings *versions* take, in the order of their charges."""
    return tuple(dict.fromkeys(role for version in versions for role in version.roles))


def codes(spans: Collection[InForce]) -> tuple[str, ...]:
    """Return the codes of all charges that are in force."""
    charges = [charge for span in spans for charge in span.version.charges]
    return tuple(dict.fromkeys(code_of(charge) for charge in charges))


def several(versions: tuple[date, ...]) -> tuple[date, ...] | None:
    """Return *versions* where there is more than one to tell apart."""
    return versions if len(versions) > 1 else None


def _roles(charge: Charge) -> list[str]:
    return [role for measure in measures_of(charge).values() for role in measure.roles]


#: Versions that follow each other without another between them: indexes of the first and last.
_Run = tuple[int, int]


def _plan(versions: Sequence[Version]) -> list[list[tuple[Charge, list[_Run]]]]:
    """Return the charges that each version works out, with the parts that each is about."""
    once = [
        {code_of(charge): charge for charge in version.charges if _is_once(charge)}
        for version in versions
    ]
    parts: dict[tuple[int, str], list[_Run]] = {}
    for code in dict.fromkeys(code for charges in once for code in charges):
        runs = _runs([index for index, charges in enumerate(once) if code in charges])
        if len(runs) == 1 or _merges(once[runs[-1][1]][code]):
            parts[runs[-1][1], code] = runs
        else:
            parts |= {(run[1], code): [run] for run in runs}
    plan = []
    for index, version in enumerate(versions):
        due = list[tuple[Charge, list[_Run]]]()
        for charge in version.charges:
            code = code_of(charge)
            if code not in once[index]:
                due.append((charge, [(index, index)]))
            elif (index, code) in parts:
                due.append((charge, parts[index, code]))
        plan.append(due)
    return plan


def _runs(indexes: Sequence[int]) -> list[_Run]:
    """Return runs of *indexes* that follow each other."""
    firsts = [index for index in indexes if index - 1 not in indexes]
    lasts = [index for index in indexes if index + 1 not in indexes]
    return list(zip(firsts, lasts, strict=True))


def _merges(charge: Charge) -> bool:
    return all(isinstance(measure, Mergeable) for measure in measures_of(charge).values())


def _is_once(charge: Charge) -> bool:
    return charge.across_versions == "last"


def _needs(plan: Sequence[Sequence[tuple[Charge, Sequence[_Run]]]]) -> dict[str, set[int]]:
    """Return the parts of which the readings of each role are needed."""
    needs: dict[str, set[int]] = {}
    for charge, runs in (due for listed in plan for due in listed):
        parts = {part for first, last in runs for part in range(first, last + 1)}
        for role in _roles(charge):
            needs.setdefault(role, set()).update(parts)
    return needs


@attrs.define
class _Cutter:
    """Cuts the usage to the parts of a window; what it finds out, all parts assume."""

    tariff: Tariff
    spans: Sequence[InForce]
    terms: Terms
    assumptions: dict[Assumption, None] = attrs.Factory(dict)
    _portions: dict[str, list[tuple[int, int, Portion]]] = attrs.Factory(dict)
    _known: dict[tuple[int, int], Slots] = attrs.Factory(dict)

    def cut(self, usage: Usage, needs: Mapping[str, set[int]]) -> None:
        """Take the readings of each role; missing ones of all roles are refused together."""
        missing = list[IncompleteUsage]()
        for (first, last), needed in _together(needs).items():
            days = Days(self.tariff.zone, self._types(first, last))
            window = self.spans[first].start, self.spans[last].end
            try:
                result = cut(usage, needed, window, days, self.terms)
            except IncompleteUsage as error:
                missing.append(error)
                continue
            self.assumptions |= result.assumptions
            for role, portion in result.portions.items():
                self._portions.setdefault(role, []).append((first, last, portion))
                self._tell_split(role, portion, first, last)
        if missing:
            raise all_gaps(missing, "parts of the window")

    def due(self, charge: Charge, runs: Sequence[_Run]) -> Due:
        """Return a charge with the usage of the parts of *runs*; weekends are as in the last."""
        *before, slots = (self.slots(first, last) for first, last in runs)
        types = (attrs.evolve(each.types, weekend_days=slots.types.weekend_days) for each in before)
        changed = zip(before, types, strict=True)
        return Due(charge, slots, tuple(attrs.evolve(each, types=days) for each, days in changed))

    def slots(self, first: int, last: int) -> Slots:
        """Return the usage of the parts from *first* to *last*."""
        if (first, last) not in self._known:
            self._known[first, last] = self._slots(first, last)
        return self._known[first, last]

    def _slots(self, first: int, last: int) -> Slots:
        start, end = self.spans[first].start, self.spans[last].end
        bill = self.spans[0].start, self.spans[-1].end
        portions = {
            role: portion if (begin, past) == (first, last) else portion.between(start, end)
            for role, ranges in self._portions.items()
            for begin, past, portion in ranges
            if begin <= first and last <= past
        }
        return Slots(
            start,
            end,
            self.tariff.zone,
            self._types(first, last),
            portions,
            self.assumptions,
            None if bill == (start, end) else bill,
            self.terms.prices,
            self.spans[last].version.rounding,
        )

    def _types(self, first: int, last: int) -> DayTypes:
        """Return what days are: each as the version says that is in force, weekends as the last."""
        versions = [span.version for span in self.spans[first : last + 1]]
        if len(versions) == 1:
            return versions[0].types
        holidays, listed = set[date](), dict[str, set[date]]()
        for index, version in enumerate(versions):
            begins = version.valid_from if index else date.min
            ends = (version.valid_to if index < len(versions) - 1 else None) or date.max
            holidays |= {day for day in version.holidays if begins <= day < ends}
            for each in version.types.lists:
                days = {day for day in each.dates if begins <= day < ends}
                listed.setdefault(each.name, set()).update(days)
        lists = tuple(DayList(name, frozenset(days)) for name, days in listed.items())
        return DayTypes(frozenset(holidays), versions[-1].types.weekend_days, lists)

    def _tell_split(self, role: str, portion: Portion, first: int, last: int) -> None:
        begins = [span.start for span in self.spans[first + 1 : last + 1]]
        if stretches := portion.cut_by(begins):
            self.assumptions[spread(role, len(stretches))] = None
        grid = portion.grid
        inside = sum((begin - grid.start) % grid.interval != 0 for begin in begins)
        if inside:
            assumption = boundary_inside(
                VERSION_BEGINS, inside, f"slots of {role}", VERSION_AT_START
            )
            self.assumptions[assumption] = None


def _together(needs: Mapping[str, set[int]]) -> dict[tuple[int, int], list[str]]:
    """Return the roles that are needed from one part to another, without a part between."""
    by_span: dict[tuple[int, int], list[str]] = {}
    for role, parts in needs.items():
        for first in (part for part in sorted(parts) if part - 1 not in parts):
            last = first
            while last + 1 in parts:
                last += 1
            by_span.setdefault((first, last), []).append(role)
    return by_span
