"""Costs: usage priced under tariffs, without storing anything."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Annotated

import attrs
from msgspec import Meta

from energia.convert import Converter, Id
from energia.convert.faults import Found, refusal
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import (
    AmbiguousChannel,
    Conflict,
    Fault,
    IncompleteUsage,
    Invalid,
    WindowCrossesVersions,
)
from energia.metering.usage import Coverage
from energia.pricing.compare import Ranked, compare
from energia.pricing.engine import CostLine, price, roles
from energia.pricing.slots import Assumption
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff
from energia.pricing.terms import Terms
from energia.web.examples import examples
from energia.web.priced import Priced, Window, priced, window
from energia.web.routes import Routes
from energia.web.subject import Subject

_ERRORS = (Conflict, WindowCrossesVersions, IncompleteUsage, AmbiguousChannel)

routes = Routes(tag="Costs")


@attrs.frozen(kw_only=True)
class CostRequest(Subject):
    """Usage to price, and the tariff: the id of a stored one, or a document."""

    tariff: Id | Tariff


@attrs.frozen(kw_only=True)
class ComparisonRequest(Subject):
    """Usage to price under several tariffs: ids of stored ones, or documents."""

    tariffs: Annotated[tuple[Id | Tariff, ...], Meta(min_length=1, max_length=100)]


@attrs.frozen(kw_only=True)
class Inputs:
    """What a cost was computed from.

    Attributes:
        tariff: The id of the tariff, if it has one.
        version: When the version in force became valid.
        plugins: The plugins that offer its charges, with their versions.
        readings_revision_at: When the newest revision of the stored readings was recorded.

    """

    tariff: str | None = None
    version: date
    plugins: dict[str, str | None]
    readings_revision_at: datetime | None = None


@attrs.frozen
class CostAnswer:
    """What usage costs; the lines' amounts sum to the total."""

    currency: str
    total: str
    start: datetime
    end: datetime
    lines: tuple[CostLine, ...]
    coverage: Coverage
    assumptions: tuple[Assumption, ...]
    inputs: Inputs


@attrs.frozen
class Comparison:
    """What the usage costs under each tariff, the cheapest first."""

    currency: str
    start: datetime
    end: datetime
    ranking: tuple[Ranked, ...]
    coverage: Coverage


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
    found = await priced(body, at, _needed((tariff,), at), tenant, limit)
    with _pointing():
        cost = await asyncio.to_thread(
            price, tariff, found.series, at.start, at.end, Terms(pointers=at.pointers)
        )
    return CostAnswer(
        cost.currency,
        cost.total,
        at.zone.datetime(at.start),
        at.zone.datetime(at.end),
        cost.lines,
        found.coverage,
        cost.assumptions,
        _inputs(core, tariff, at, found),
    )


@routes.post("/v1/costs/compare", errors=_ERRORS, examples=examples("comparisons"))
async def compare_costs(
    body: ComparisonRequest, core: Core, tenant: Tenant, converter: Converter
) -> Comparison:
    """Price one usage under several tariffs and rank them; differences are to the first one."""
    limit = core.settings.limits.slots
    asked = {f"/tariffs/{index}": tariff for index, tariff in enumerate(body.tariffs)}
    tariffs, at = await _asked(asked, body, Tariffs(tenant, converter), limit)
    found = await priced(body, at, _needed(tariffs, at), tenant, limit)
    ranking = await asyncio.to_thread(
        compare, tariffs, found.series, at.start, at.end, Terms(pointers=at.pointers)
    )
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
    return known, at


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
    of_window = fault.code in (WindowCrossesVersions.code, "no_version_in_force")
    return "/start" if of_window else "/tariff"


def _needed(tariffs: Sequence[Tariff], at: Window) -> tuple[str, ...]:
    """Return the roles that the tariffs charge in the window."""
    needed: dict[str, None] = {}
    for tariff in tariffs:
        # Where no version is in force, pricing says so, and where.
        with suppress(Invalid):
            needed |= dict.fromkeys(roles(tariff.in_force(at.start, at.end)))
    return tuple(needed)


def _inputs(core: Core, tariff: Tariff, at: Window, found: Priced) -> Inputs:
    version = tariff.in_force(at.start, at.end)
    providers = [core.plugins.charge_provider(charge.kind) for charge in version.charges]
    revision = found.revision_at
    return Inputs(
        tariff=tariff.id,
        version=version.valid_from,
        plugins={one.name: one.version for one in providers},
        readings_revision_at=None if revision is None else revision.astimezone(at.zone.tzinfo),
    )
