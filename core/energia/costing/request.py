"""A request for costs, with all that it takes: tariffs, bill periods, readings and prices.

`POST /v1/costs`, `POST /v1/costs/compare`, `energia price` and `energia compare` ask the same
question: what does a `Subject` cost under one or several tariffs. `costing_of` reads everything
that the answer needs, from one snapshot of the database, and only what did not come along;
pricing is pure from there on.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs

from energia.convert import Converter
from energia.convert.faults import Faults, refusal, step
from energia.costing.budget import refuse_costly
from energia.costing.compare import Ranked, compare, comparison_group, grouped_by_month
from energia.costing.groups import WHOLE, Group, bill_periods, price_groups
from energia.costing.inputs import Inputs, Plan, read_inputs, refuse_large
from energia.costing.subject import InlineUsage, Subject
from energia.db.queries import load
from energia.db.tenant import Queries, Tenant
from energia.errors import Fault, Invalid
from energia.metering.models import Channel
from energia.metering.series import Series
from energia.pricing.allowance import refuse_many_lines
from energia.pricing.explain import Charged, ExplainedLine, explain
from energia.pricing.lines import Remembered
from energia.pricing.market.intake import inline, number_of
from energia.pricing.segments import codes, segments
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms, refuse_unknown
from energia.settings import Limits
from energia.spending import hold_slots
from energia.time import Zone
from energia.work import off_loop

SQL: Final = load(__package__)
_NEW: Final[Mapping[str, Remembered]] = {}


@attrs.frozen(eq=False)
class Costing:
    """A question about costs, with all that answers it: pricing asks no database any more.

    Attributes:
        subject: What is asked.
        zone: The zone of the site, or of the usage that came along: that of times.
        bounds: Where the bill periods begin, in seconds since 1970-01-01T00:00Z, and the end of
            the last; days are those of the zone of the tariffs, which are applied at the site.
        inputs: The readings and prices, with the plan that says what they are for.
        limits: What the price may come to.

    """

    subject: Subject
    zone: Zone
    bounds: tuple[int, ...]
    inputs: Inputs
    limits: Limits

    @property
    def tariffs(self) -> tuple[Tariff, ...]:
        """The tariffs, with the request's parameters filled in."""
        return self.inputs.plan.tariffs

    def price(self, state: Mapping[str, Remembered] = _NEW) -> tuple[Group, ...]:
        """Return what each bill period costs under the only tariff.

        Args:
            state: What the charges remember from before, by their codes.

        Raises:
            Invalid: A charge of the state is unknown; or as `price_groups`.

        """
        (tariff,) = self.tariffs
        if state:
            refuse_unknown(state, codes(tariff.in_force(*self.bounds[:2])))
        return price_groups(tariff, self.inputs.usage, self.bounds, self._terms(state))

    def explain(self) -> tuple[tuple[Group, ...], tuple[ExplainedLine, ...]]:
        """Return what the only bill period costs, and where its lines come from."""
        (group,) = self.price()
        parts = segments(
            self.tariffs[0], self.inputs.usage, group.start, group.end, self._terms(_NEW)
        )
        lines = explain(Charged.of(group.cost), parts, group.cost.currency)
        return (group,), lines

    @property
    def comparison_group(self) -> str:
        """What is a bill period of a comparison: what was asked for, or what suits the window."""
        plan = self.inputs.plan
        return self.subject.group or comparison_group(plan.tariff.zone, plan.start, plan.end)

    def compare(self) -> tuple[Ranked, ...]:
        """Return the tariffs by what the usage costs under each, the cheapest first.

        A window that is too long for a bill is priced by months, unless something is asked for.
        """
        plan, group = self.inputs.plan, self.comparison_group
        periods = bill_periods(plan.tariff.zone, plan.start, plan.end, group)
        refuse_costly(plan, periods, self.limits.pricing)
        ranking = compare(self.tariffs, self.inputs.usage, periods, self._terms(_NEW))
        if group == (self.subject.group or WHOLE):
            return ranking
        assumption = grouped_by_month(periods)
        return tuple(
            attrs.evolve(ranked, assumptions=(assumption, *ranked.assumptions))
            for ranked in ranking
        )

    @property
    def terms(self) -> Terms:
        """What prices rest on besides the tariffs and the usage; nothing is remembered."""
        return self._terms(_NEW)

    def _terms(self, state: Mapping[str, Remembered]) -> Terms:
        plan = self.inputs.plan
        pointers = {channel.role: "/meter" for channel in plan.channels}
        if plan.usage is not None:
            pointers = {role: f"/usage/channels/{role}/values" for role in plan.usage}
        terms = self.inputs.terms(state, self.subject.missing, pointers, self.limits)
        sent = self.subject.usage
        return terms if sent is None else attrs.evolve(terms, assumptions=sent.assumptions())


async def costing_of(
    subject: Subject,
    tariffs: Mapping[str, str | Tariff],
    stored: Tenant | None,
    converter: Converter,
    limits: Limits,
) -> Costing:
    """Return *subject* and *tariffs* with all that it takes to price them.

    A stored meter, its channels, readings, tariffs and prices are read in one snapshot, so that no
    answer mixes what was before a correction with what came after.

    Args:
        subject: What is asked.
        tariffs: Tariff documents, or ids of stored ones, by where they are in the request.
        stored: The database; None where nothing stored is asked for.
        converter: Knows the charges of the loaded plugins.
        limits: What may be asked for.

    Raises:
        Invalid: A tariff or the meter is unknown, the window is empty, parameters or channels do
            not fit: all such faults that are found together.
        TooLarge: It is about more slots, or takes more work, than *limits* say.

    """
    async with _snapshot(stored) as queries:
        given, window = await _tariffs_and_window(subject, tariffs, queries, converter, limits)
        days = _zone_of_days(window, given[0])
        bounds = bill_periods(days, window.start, window.end, subject.group or WHOLE)
        local = [tariff.at(days) for tariff in given]
        filled_tariffs = tuple(_filled(local, subject.parameters, window))
        plan = Plan(filled_tariffs, window.start, window.end, usage=window.usage)
        if window.usage is None:
            plan = plan.of_meter(window.declared, subject.channels or {}, limits.slots)
        for pointer, tariff in zip(tariffs, filled_tariffs, strict=True):
            refuse_many_lines(tariff, limits.lines, pointer)
        refuse_costly(plan, bounds, limits.pricing)
        hold_slots(plan.slots)
        _refuse_unneeded(subject, plan.series)
        if subject.prices:
            refuse_large(sum(map(number_of, subject.prices.values())), limits.slots)
            sent = await off_loop(inline, subject.prices, plan.tariff.currency)
            plan = attrs.evolve(plan, prices=sent)
        (inputs,) = await read_inputs(queries, [plan], subject.known_at)
    return Costing(subject, window.zone, bounds, inputs, limits)


@asynccontextmanager
async def _snapshot(stored: Tenant | None) -> AsyncIterator[Queries | None]:
    if stored is None:
        yield None
        return
    async with stored.snapshot() as queries:
        yield queries


@attrs.frozen(eq=False)
class _Window:
    """When is priced, and the channels of the meter, or the readings that came along."""

    zone: Zone
    start: int
    end: int
    declared: Sequence[Channel] = ()
    usage: Mapping[str, Series] | None = None


async def _tariffs_and_window(
    subject: Subject,
    tariffs: Mapping[str, str | Tariff],
    queries: Queries | None,
    converter: Converter,
    limits: Limits,
) -> tuple[list[Tariff], _Window]:
    """Return both; raises the faults of both together."""
    faults = Faults()
    known, window = list[Tariff](), None
    try:
        known = await _tariffs(tariffs, queries, converter)
    except Invalid as error:
        faults.add(error)
    try:
        window = await _window(subject, queries, limits.slots)
    except Invalid as error:
        faults.add(error)
    if window is None or faults.kept:
        raise refusal(faults)
    return known, window


async def _tariffs(
    given: Mapping[str, str | Tariff], queries: Queries | None, converter: Converter
) -> list[Tariff]:
    """Return the tariffs that were sent, and those that were named; all unknown are faults."""
    ids = [tariff for tariff in given.values() if isinstance(tariff, str)]
    known = dict[str, Tariff]()
    if ids:
        assert queries is not None  # ids name stored tariffs
        known = await Tariffs(queries, converter).known(ids)
    faults = [
        Fault("unknown_tariff", f"there is no tariff {tariff!r}", pointer)
        for pointer, tariff in given.items()
        if isinstance(tariff, str) and tariff not in known
    ]
    if faults:
        raise Invalid.of_all(faults)
    return [known[tariff] if isinstance(tariff, str) else tariff for tariff in given.values()]


async def _window(subject: Subject, queries: Queries | None, limit: int) -> _Window:
    """Return the window of *subject*; usage that came along asks no database."""
    if subject.usage is not None:
        window = await off_loop(_of_usage, subject.usage, subject, limit)
    else:
        assert queries is not None  # a meter is a stored one
        window = await _of_meter(str(subject.meter), subject, queries)
    if window.end <= window.start:
        raise Invalid.of("empty_window", "the window is empty", "/end")
    return window


def _zone_of_days(window: _Window, tariff: Tariff) -> Zone:
    """Return the zone whose days are counted: the site's, as in bills, or that of the usage.

    A window that starts at an instant at which a day of the tariff's zone begins, and none of the
    site's, is one of days of the tariff's zone.
    """
    is_of_tariff = tariff.zone.starts_day(window.start) and not window.zone.starts_day(window.start)
    return tariff.zone if is_of_tariff else window.zone


def _of_usage(given: InlineUsage, subject: Subject, limit: int) -> _Window:
    refuse_large(given.slots, limit)
    try:
        series = given.series()
    except Invalid as error:
        faults = [attrs.evolve(fault, pointer=f"/usage{fault.pointer}") for fault in error.faults]
        raise Invalid(error.detail, faults) from error
    start = min(channel.start for channel in series.values())
    end = max(channel.end for channel in series.values())
    if subject.start is not None:
        start = given.zone.boundary(subject.start)
    if subject.end is not None:
        end = given.zone.boundary(subject.end)
    refuse_large(sum(max(0, end - start) // each.interval for each in series.values()), limit)
    return _Window(given.zone, start, end, usage=series)


async def _of_meter(meter: str, subject: Subject, queries: Queries) -> _Window:
    rows = await queries.fetch(_zone_and_channel, SQL["meter_zone_and_channels"], meter)
    if not rows:
        raise Invalid.of("unknown_meter", f"there is no meter {meter!r}", "/meter")
    zone = Zone.named(rows[0][0])
    assert subject.start is not None
    assert subject.end is not None
    start, end = zone.boundary(subject.start), zone.boundary(subject.end)
    channels = [channel for _, channel in rows if channel is not None]
    return _Window(zone, start, end, declared=channels)


def _zone_and_channel(timezone: str, *columns: Any) -> tuple[str, Channel | None]:
    """Return a row of `meter_zone_and_channels`; a meter without channels has one row."""
    return timezone, None if columns[0] is None else Channel(*columns)


def _filled(
    tariffs: Sequence[Tariff], parameters: Mapping[str, object], window: _Window
) -> list[Tariff]:
    """Return *tariffs* for the window, with *parameters* in their places.

    Raises:
        Invalid: One is missing, does not fit, or is asked for by none of the tariffs.

    """
    filled_tariffs, distinct = list[Tariff](), dict[Fault, None]()
    for name in parameters:
        if not any(name in tariff.parameters for tariff in tariffs):
            message = f"no charge asks for the parameter {name!r}"
            distinct[Fault("unknown_parameter", message, f"/parameters{step(name)}")] = None
    for tariff in tariffs:
        try:
            filled_tariffs.append(tariff.within(window.start, window.end).filled(parameters))
        except Invalid as error:
            distinct |= dict.fromkeys(error.faults)
    if distinct:
        faults = Faults()
        for fault in distinct:
            faults.append(fault)
        raise refusal(faults)
    return filled_tariffs


def _refuse_unneeded(subject: Subject, names: Sequence[str]) -> None:
    """Refuse price series that came along and that no charge needs."""
    faults = [
        Fault(
            "unknown_price_series",
            f"no charge needs the price series {name!r}",
            f"/prices{step(name)}",
        )
        for name in subject.prices
        if name not in names
    ]
    if faults:
        raise Invalid.of_all(faults)
