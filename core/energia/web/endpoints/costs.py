"""Costs: usage priced under tariffs, without storing anything."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import attrs

from energia.convert import Converter
from energia.convert.faults import Found, refusal
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import (
    AmbiguousChannel,
    Conflict,
    Fault,
    IncompletePrices,
    IncompleteUsage,
    Invalid,
)
from energia.pricing.compare import compare
from energia.pricing.groups import Group, price_groups, together
from energia.pricing.market.series import PriceSeries
from energia.pricing.segments import codes, several
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff
from energia.pricing.terms import Terms, refuse_unknown
from energia.pricing.timing import timed
from energia.web.costs import (
    Comparison,
    ComparisonRequest,
    CostAnswer,
    CostGroup,
    CostRequest,
    Inputs,
)
from energia.web.examples import examples
from energia.web.filled import filled, needed
from energia.web.market import prices_of
from energia.web.priced import Priced, Window, priced, window
from energia.web.routes import Routes
from energia.web.subject import Subject

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
