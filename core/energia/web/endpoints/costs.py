"""Costs: usage priced under tariffs, without storing anything."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any, ClassVar

import attrs
from msgspec import Meta

from energia.billing.models import States
from energia.convert import Converter, Id
from energia.core import Core
from energia.costing.compare import Ranked
from energia.costing.groups import WHOLE, Group, together
from energia.costing.request import Costing, costing_of
from energia.costing.subject import Subject
from energia.costing.timing import timed
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
from energia.pricing.segments import several
from energia.pricing.slots import Assumption
from energia.pricing.tariffs import Tariff
from energia.time import Zone
from energia.web.resources import (
    PRICERS,
    examples,
)
from energia.web.routes import Routes
from energia.work import off_loop


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
    """Usage to price under several tariffs: ids of stored ones, or documents.

    Attributes:
        tariffs: The tariffs; differences are to the first of them.

    """

    tariffs: Annotated[tuple[Id | Tariff, ...], Meta(min_length=1, max_length=100)]


@attrs.frozen(kw_only=True)
class Inputs:
    """What a cost was computed from.

    Attributes:
        tariff: The id of the tariff, if it has one.
        version: When the version that was in force (at first) became valid.
        versions: Where several were in force: when each of them became valid.
        plugins: The plugins that offer its charges, with their versions.
        readings_revision_at: When the newest revision of the stored readings was recorded.
        prices_revision_at: The same of the stored price series, by name.

    """

    __public_name__: ClassVar[str] = "CostInputs"

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
        version: When the version of the tariff that was in force (at first) became valid.
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

    __public_name__: ClassVar[str] = "Cost"

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
    """What the usage costs under each tariff, the cheapest first.

    Attributes:
        currency: ISO 4217.
        start: When the window starts.
        end: When it ends.
        group: What was priced as a bill period of its own: `P1D`, `P1M`, `P1Y`, or `whole`.
        ranking: The tariffs.
        coverage: What the readings are.

    """

    currency: str
    start: datetime
    end: datetime
    group: str
    ranking: tuple[Ranked, ...]
    coverage: Coverage


_ERRORS = (Conflict, IncompleteUsage, IncompletePrices, AmbiguousChannel)

routes = Routes(tag="Costs", reads=PRICERS, writes=PRICERS)


@routes.post("/v1/costs", errors=_ERRORS, examples=examples("costs"))
async def compute_cost(
    body: CostRequest, core: Core, tenant: Tenant, converter: Converter
) -> CostAnswer:
    """Price the stored readings of a meter, or readings that come with the request.

    With usage and tariff in the request no database is needed.
    """
    limits = core.settings.limits
    costing = await costing_of(body, {"/tariff": body.tariff}, tenant, converter, limits)
    with _pointing(), timed("cost", core.plugins.pricing_finished):
        groups = await off_loop(costing.price, body.state)
    return await off_loop(_answer, costing, groups, core)


@routes.post("/v1/costs/compare", errors=_ERRORS, examples=examples("comparisons"))
async def compare_costs(
    body: ComparisonRequest, core: Core, tenant: Tenant, converter: Converter
) -> Comparison:
    """Price one usage under several tariffs and rank them; differences are to the first one.

    Unless a `group` is asked for, a window of more than 45 days is priced by calendar months of
    the site's zone, each as a bill of its own, and the answer says so in `assumptions`.
    """
    limits = core.settings.limits
    tariffs = {f"/tariffs/{index}": tariff for index, tariff in enumerate(body.tariffs)}
    costing = await costing_of(body, tariffs, tenant, converter, limits)
    with timed("compare", core.plugins.pricing_finished):
        ranking = await off_loop(costing.compare)
    plan, moment = costing.inputs.plan, costing.zone.datetime
    start, end = moment(plan.start), moment(plan.end)
    group, coverage = costing.comparison_group, costing.inputs.coverage
    return Comparison(plan.tariff.currency, start, end, group, ranking, coverage)


@contextmanager
def _pointing() -> Iterator[None]:
    """Let faults that pointed nowhere point to the window, or to the tariff."""
    try:
        yield
    except Invalid as error:
        faults = [
            attrs.evolve(fault, pointer=fault.pointer or _place(fault)) for fault in error.faults
        ]
        raise type(error)(error.detail, faults, error.counts) from error


def _place(fault: Fault) -> str:
    return "/start" if fault.code == "no_version_in_force" else "/tariff"


def _answer(costing: Costing, groups: Sequence[Group], core: Core) -> CostAnswer:
    """Return the answer: all bill periods together, and each of them if that was asked for."""
    cost, plan, moment = together(groups), costing.inputs.plan, costing.zone.datetime
    grouped = tuple(_group(group, costing.zone) for group in groups)
    return CostAnswer(
        currency=cost.currency,
        total=cost.total,
        start=moment(plan.start),
        end=moment(plan.end),
        lines=cost.lines,
        coverage=costing.inputs.coverage,
        assumptions=cost.assumptions,
        state={code: dict(values) for code, values in cost.state.items()},
        inputs=_inputs(costing, groups, core),
        groups=None if costing.subject.group in (None, WHOLE) else grouped,
    )


def _group(group: Group, zone: Zone) -> CostGroup:
    cost = group.cost
    return CostGroup(
        zone.datetime(group.start),
        zone.datetime(group.end),
        group.versions[0],
        cost.total,
        cost.lines,
        cost.assumptions,
        several(group.versions),
    )


def _inputs(costing: Costing, groups: Sequence[Group], core: Core) -> Inputs:
    """Return what the cost was computed from."""
    tariff, zone = costing.inputs.plan.tariff, costing.zone.tzinfo
    used = tuple(dict.fromkeys(version for group in groups for version in group.versions))
    versions = [version for version in tariff.versions if version.valid_from in used]
    kinds = dict.fromkeys(charge.kind for version in versions for charge in version.charges)
    providers = [core.plugins.charge_provider(kind) for kind in kinds]
    read_at = costing.inputs.revision_at
    priced_at = {name: series.revision_at for name, series in costing.inputs.prices.items()}
    return Inputs(
        tariff=tariff.id,
        version=used[0],
        versions=several(used),
        plugins={provider.name: provider.version for provider in providers},
        readings_revision_at=None if read_at is None else read_at.astimezone(zone),
        prices_revision_at={
            n: instant.astimezone(zone) for n, instant in priced_at.items() if instant
        }
        or None,
    )
