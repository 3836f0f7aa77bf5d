"""Costs: usage priced under tariffs, without storing anything."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any

import attrs
from msgspec import Meta

from energia.billing.models import States
from energia.convert import Converter, Id
from energia.convert.faults import Found, refusal
from energia.core import Core
from energia.costing.compare import Ranked, compare
from energia.costing.groups import Group, price_groups, together
from energia.costing.subject import Subject
from energia.costing.timing import timed
from energia.costing.usage import Priced, Window, filled, needed, priced, prices_of, window
from energia.db.pool import Tenant
from energia.errors import (
    AmbiguousChannel,
    Conflict,
    Fault,
    IncompletePrices,
    IncompleteUsage,
    Invalid,
)
from energia.metering.usage import Coverage
from energia.pricing.engine import CostLine
from energia.pricing.market.series import PriceSeries
from energia.pricing.segments import codes, several
from energia.pricing.slots import Assumption
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms, refuse_unknown
from energia.web.resources import examples
from energia.web.routes import Routes


@attrs.frozen(kw_only=True)
class CostRequest(Subject):
    """Usage to price, and the tariff: the id of a stored one, or a document.

    Attributes:
        tariff: The tariff.
        state: What the charges remember from before, by their codes.

    """

    tariff: Id | Tariff
    state: States = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ComparisonRequest(Subject):
    """Usage to price under several tariffs: ids of stored ones, or documents."""

    tariffs: Annotated[tuple[Id | Tariff, ...], Meta(min_length=1, max_length=100)]


@attrs.frozen(kw_only=True)
class Inputs:
    """What a cost was computed from.

    Attributes:
        tariff: The id of the tariff, if it has one.
        version: When the version became valid that was in force (at first).
        versions: Where several were in force: when each of them became valid.
        plugins: The plugins that offer its charges, with their versions.
        readings_revision_at: When the newest revision of the stored readings was recorded.
        prices_revision_at: The same of the stored price series, by name.

    """

    tariff: str | None = None
    version: date
    versions: tuple[date, ...] | None = None
    plugins: dict[str, str | None]
    readings_revision_at: datetime | None = None
    prices_revision_at: dict[str, datetime] | None = None


@attrs.frozen
class CostGroup:
    """One bill period of a cost.

    Attributes:
        start: When it starts.
        end: When it ends.
        version: When the version of the tariff became valid that was in force (at first).
        total: The sum of its lines' amounts.
        lines: What the charges charge.
        assumptions: What was taken for granted.
        versions: Where several were in force: when each of them became valid.

    """

    start: datetime
    end: datetime
    version: date
    total: str
    lines: tuple[CostLine, ...]
    assumptions: tuple[Assumption, ...]
    versions: tuple[date, ...] | None = None


@attrs.frozen(kw_only=True)
class CostAnswer:
    """What usage costs; the lines' amounts sum to the total.

    Attributes:
        currency: ISO 4217.
        total: The sum of the lines' amounts.
        start: When the window starts.
        end: When it ends.
        lines: What the charges charge; with `group`, the lines of each code are added up.
        coverage: What the readings are.
        assumptions: What was taken for granted.
        state: What each charge remembers for the next bill, by its code.
        inputs: What the cost was computed from.
        groups: With `group`: each bill period.

    """

    currency: str
    total: str
    start: datetime
    end: datetime
    lines: tuple[CostLine, ...]
    coverage: Coverage
    assumptions: tuple[Assumption, ...]
    state: dict[str, dict[str, Any]]
    inputs: Inputs
    groups: tuple[CostGroup, ...] | None = None


@attrs.frozen
class Comparison:
    """What the usage costs under each tariff, the cheapest first."""

    currency: str
    start: datetime
    end: datetime
    ranking: tuple[Ranked, ...]
    coverage: Coverage


_ERRORS = (Conflict, IncompleteUsage, IncompletePrices, AmbiguousChannel)

routes = Routes(tag="Costs")


@routes.post("/v1/costs", errors=_ERRORS, examples=examples("costs"))
async def post_cost(
    body: CostRequest, core: Core, tenant: Tenant, converter: Converter
) -> CostAnswer:
    """Price the stored readings of a meter, or readings that come with the request.

    With usage and tariff in the request no database is needed.
    """
    limit = core.settings.limits.slots
    asked = {"/tariff": body.tariff}
    (tariff,), at = await _asked(asked, body, Tariffs(tenant, converter), limit)
    found = await priced(body, at, needed((tariff,), at), tenant, limit)
    prices = await prices_of(body, (tariff,), at, tenant)
    with _pointing():
        _refuse_unknown(body, tariff, at)
        terms = Terms(body.state, body.missing, at.pointers, prices)
        with timed("cost", core.plugins.pricing_finished):
            groups = await asyncio.to_thread(price_groups, tariff, found.series, at.bounds, terms)
    cost, moment = together(groups), at.zone.datetime
    return CostAnswer(
        currency=cost.currency,
        total=cost.total,
        start=moment(at.start),
        end=moment(at.end),
        lines=cost.lines,
        coverage=found.coverage,
        assumptions=cost.assumptions,
        state={code: dict(values) for code, values in cost.state.items()},
        inputs=attrs.evolve(
            _inputs(core, tariff, at, groups, found), prices_revision_at=_revised(prices, at)
        ),
        groups=None if body.group is None else tuple(_group(one, at) for one in groups),
    )


@routes.post("/v1/costs/compare", errors=_ERRORS, examples=examples("comparisons"))
async def compare_costs(
    body: ComparisonRequest, core: Core, tenant: Tenant, converter: Converter
) -> Comparison:
    """Price one usage under several tariffs and rank them; differences are to the first one."""
    limit = core.settings.limits.slots
    asked = {f"/tariffs/{index}": tariff for index, tariff in enumerate(body.tariffs)}
    tariffs, at = await _asked(asked, body, Tariffs(tenant, converter), limit)
    found = await priced(body, at, needed(tariffs, at), tenant, limit)
    prices = await prices_of(body, tariffs, at, tenant)
    terms = Terms(missing=body.missing, pointers=at.pointers, prices=prices)
    with timed("compare", core.plugins.pricing_finished):
        ranking = await asyncio.to_thread(compare, tariffs, found.series, at.bounds, terms)
    start, end = at.zone.datetime(at.start), at.zone.datetime(at.end)
    return Comparison(tariffs[0].currency, start, end, ranking, found.coverage)


async def _asked(
    tariffs: Mapping[str, str | Tariff], subject: Subject, stored: Tariffs, limit: int
) -> tuple[list[Tariff], Window]:
    """Return the tariffs and the window that a request asks for; raises the faults of both."""
    found = Found()
    known, at = list[Tariff](), None
    try:
        known = await _tariffs(tariffs, stored)
    except Invalid as error:
        found.add(error)
    try:
        at = await window(subject, stored.queries, limit)
    except Invalid as error:
        found.add(error)
    if at is None or found.faults:
        raise refusal(found)
    return filled(known, subject.parameters, at), at


async def _tariffs(given: Mapping[str, str | Tariff], stored: Tariffs) -> list[Tariff]:
    """Return the tariffs that were sent, and those that were named; all unknown are faults.

    They are given by where they are in the request.
    """
    ids = [one for one in given.values() if isinstance(one, str)]
    known = await stored.known(ids) if ids else {}
    faults = [
        Fault("unknown_tariff", f"there is no tariff {one!r}", pointer)
        for pointer, one in given.items()
        if isinstance(one, str) and one not in known
    ]
    if faults:
        raise Invalid(faults[0].message, faults)
    return [known[one] if isinstance(one, str) else one for one in given.values()]


@contextmanager
def _pointing() -> Iterator[None]:
    """Let faults that pointed nowhere point to the window, or to the tariff."""
    try:
        yield
    except Invalid as error:
        faults = [attrs.evolve(one, pointer=one.pointer or _place(one)) for one in error.faults]
        raise type(error)(error.detail, faults, error.counts) from error


def _place(fault: Fault) -> str:
    return "/start" if fault.code == "no_version_in_force" else "/tariff"


def _refuse_unknown(body: CostRequest, tariff: Tariff, at: Window) -> None:
    """Refuse a state that no charge remembers."""
    if body.state:
        refuse_unknown(body.state, codes(tariff.in_force(*at.bounds[:2])))


def _group(group: Group, at: Window) -> CostGroup:
    start, end = at.zone.datetime(group.start), at.zone.datetime(group.end)
    cost = group.cost
    first, *_ = group.versions
    return CostGroup(
        start, end, first, cost.total, cost.lines, cost.assumptions, several(group.versions)
    )


def _revised(prices: Mapping[str, PriceSeries], at: Window) -> dict[str, datetime] | None:
    """Return when the newest revision of each stored price series was recorded."""
    zone = at.zone.tzinfo
    times = ((name, one.revision_at) for name, one in prices.items())
    return {name: time.astimezone(zone) for name, time in times if time} or None


def _inputs(
    core: Core, tariff: Tariff, at: Window, groups: Sequence[Group], found: Priced
) -> Inputs:
    used = tuple(dict.fromkeys(version for group in groups for version in group.versions))
    versions = [version for version in tariff.versions if version.valid_from in used]
    kinds = dict.fromkeys(charge.kind for version in versions for charge in version.charges)
    providers = [core.plugins.charge_provider(kind) for kind in kinds]
    revision = found.revision_at
    return Inputs(
        tariff=tariff.id,
        version=used[0],
        versions=several(used),
        plugins={one.name: one.version for one in providers},
        readings_revision_at=None if revision is None else revision.astimezone(at.zone.tzinfo),
    )
