"""Periods of contracts, priced: many at once, with one statement for each kind of input."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final, Self

import attrs

from energia import tracing
from energia.billing.errors import ChargeFailed, OutsideContract
from energia.billing.models import Contract
from energia.costing.budget import refuse_costly
from energia.costing.inputs import Inputs, Named, Plan, read_inputs
from energia.db.tenant import Queries
from energia.errors import EnergiaError, Invalid
from energia.metering import registry
from energia.metering.models import Channel
from energia.metering.usage import Coverage
from energia.pricing.engine import Cost, as_money, price, price_batch
from energia.pricing.segments import codes
from energia.pricing.slots import Assumption
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.usage import Missing, Terms, refuse_unknown
from energia.settings import Limits
from energia.time import Zone
from energia.work import checkpoint, off_loop

#: What a bill assumes that charges nothing, as its contract is not in force in its period.
VOID: Final = Assumption(
    "contract_not_in_force", "the contract is not in force in the period: nothing is charged"
)


@attrs.frozen(eq=False)
class BillPeriod:
    """A period of a contract to price.

    Attributes:
        contract: The contract.
        timezone: The zone of its site, whose days are those of the bill.
        start: The first day.
        end: The day after the last one.
        prior_state: What the charges remember from the bill before, by their codes.
        missing: Whether missing readings are refused, or how they are filled in.
        client_state: Whether a client stated `prior_state`: then no charge in it may be unknown.
            What a bill has left is handed on even by a version without the charge.
        corrects: Whether it corrects a bill: then it may charge nothing, see `is_void`.
        channels: The channels of roles for which the contract names none, as a bill read them;
            one that is gone is passed over.

    """

    contract: Contract
    timezone: str
    start: date
    end: date
    prior_state: Mapping[str, Mapping[str, Any]]
    missing: Missing = "refuse"
    client_state: bool = False
    corrects: bool = False
    channels: Mapping[str, Sequence[str]] = attrs.field(factory=dict)

    @property
    def in_force(self) -> Self:
        """The part of it in which the contract is in force; all of it where none is."""
        contract = self.contract
        start = max(self.start, contract.start)
        end = self.end if contract.end is None else min(self.end, contract.end)
        return attrs.evolve(self, start=start, end=end) if start < end else self

    @property
    def is_void(self) -> bool:
        """Whether it corrects a bill of days on which the contract is not in force at all."""
        contract = self.contract
        is_after = contract.end is not None and self.start >= contract.end
        return self.corrects and (is_after or self.end <= contract.start)

    def channels_of(self, declared: Sequence[Channel]) -> Named:
        """Return the channels of a meter that are named for a role."""
        ids = {channel.id for channel in declared}
        billed: Named = {
            role: of_role for role, of_role in self.channels.items() if ids >= set(of_role)
        }
        return {**billed, **self.contract.channels}

    @property
    def window(self) -> tuple[int, int]:
        """When the period starts and ends, in seconds since 1970-01-01T00:00Z."""
        return _window(self.timezone, self.start, self.end)


@lru_cache(maxsize=4096)
def _window(timezone: str, start: date, end: date) -> tuple[int, int]:
    zone = Zone.named(timezone)
    return zone.midnight(start), zone.midnight(end)


@attrs.frozen(eq=False)
class BillCost:
    """What a period of a contract costs.

    Attributes:
        period: The period.
        inputs: The readings and prices that were read for it.
        cost: What it costs.
        coverage: What the readings are.

    """

    period: BillPeriod
    inputs: Inputs
    cost: Cost
    coverage: Coverage

    @property
    def versions(self) -> tuple[Version, ...]:
        """The versions of the tariff that were in force, in order."""
        return self.inputs.plan.versions


async def price_periods(
    queries: Queries, tariffs: Tariffs, periods: Sequence[BillPeriod], limits: Limits
) -> list[BillCost | EnergiaError]:
    """Return what each of *periods* costs by what is stored now, or why it cannot be priced.

    The tariffs are held as they are until the transaction ends.

    Args:
        queries: The database.
        tariffs: The stored tariffs.
        periods: What to price.
        limits: What one of them may come to.

    """
    by_id = await tariffs.held({period.contract.tariff for period in periods})
    declared = await registry.channels_of(queries, {period.contract.meter for period in periods})
    in_zone = _InZone(by_id)
    plans = [_plan(period, in_zone, declared[period.contract.meter], limits) for period in periods]
    inputs = iter(await read_inputs(queries, [plan for plan in plans if isinstance(plan, Plan)]))
    work = [
        (period, next(inputs) if isinstance(plan, Plan) else plan)
        for period, plan in zip(periods, plans, strict=True)
    ]
    with tracing.as_one(len(work)):
        return await off_loop(_priced, work, limits)


@attrs.frozen
class _InZone:
    """Stored tariffs as they are for windows of sites: once for all bills that share one."""

    tariffs: Mapping[str, Tariff | EnergiaError]
    _known: dict[tuple[object, ...], Tariff] = attrs.field(factory=dict)
    _cheap: set[tuple[object, ...]] = attrs.field(factory=set)

    def of(self, period: BillPeriod) -> Tariff:
        """Return the tariff of a period, its parameters filled in.

        Raises:
            EnergiaError: It cannot be read; the period is not the contract's; the parameters do
                not fit.

        """
        contract = period.contract
        tariff = self.tariffs[contract.tariff]
        if isinstance(tariff, EnergiaError):
            raise tariff
        if not period.is_void:
            _refuse_outside(period)
        if contract.parameters:  # they are the contract's own
            return _in_zone(tariff, period).filled(contract.parameters)
        key = _shared(period)
        if key not in self._known:
            self._known[key] = _in_zone(tariff, period).filled(contract.parameters)
        return self._known[key]

    def refuse_costly(self, period: BillPeriod, plan: Plan, limit: int) -> None:
        """Refuse a bill of too much work, once for those that are alike; raises `TooLarge`."""
        key = (*_shared(period), plan.slots)
        if period.contract.parameters or key not in self._cheap:
            refuse_costly(plan, period.window, limit)
            self._cheap.add(key)


def _shared(period: BillPeriod) -> tuple[object, ...]:
    """Return what bills share whose contracts give no parameters."""
    return period.contract.tariff, period.timezone, period.window, period.is_void


def _in_zone(tariff: Tariff, period: BillPeriod) -> Tariff:
    local = tariff.at(Zone.named(period.timezone)).within(*period.window)
    return without_charges(local) if period.is_void else local


def _plan(
    period: BillPeriod, tariffs: _InZone, declared: Sequence[Channel], limits: Limits
) -> Plan | EnergiaError:
    try:
        tariff, window = tariffs.of(period), period.window
        in_force = tariff.in_force(*window)
        if period.client_state:
            refuse_unknown(period.prior_state, codes(in_force))
        named = period.channels_of(declared)
        plan = Plan((tariff,), *window).of_meter(declared, named, limits.slots)
        tariffs.refuse_costly(period, plan, limits.pricing)
        return plan
    except EnergiaError as error:
        return error


def without_charges(tariff: Tariff) -> Tariff:
    """Return a tariff that charges nothing, of the same versions."""
    versions = tuple(attrs.evolve(version, charges=()) for version in tariff.versions)
    return attrs.evolve(tariff, versions=versions)


def _refuse_outside(period: BillPeriod) -> None:
    contract = period.contract
    if period.start < contract.start or (contract.end is not None and period.end > contract.end):
        until = f"until {contract.end}" if contract.end else "without an end"
        message = f"the contract {contract.id!r} is in force from {contract.start} {until}"
        raise OutsideContract.of(OutsideContract.code, message, "/start")


def _priced(
    work: Sequence[tuple[BillPeriod, Inputs | EnergiaError]], limits: Limits
) -> list[BillCost | EnergiaError]:
    """Price periods, those of one tariff and window together; one fails for itself alone."""
    alike = dict[tuple[int, int, int], dict[int, tuple[BillPeriod, Inputs]]]()
    for at, (period, inputs) in enumerate(work):
        if isinstance(inputs, Inputs):
            plan = inputs.plan
            key = id(plan.tariff), plan.start, plan.end
            alike.setdefault(key, {})[at] = period, inputs
    costs = dict[int, Cost | Exception]()
    for together in alike.values():
        costs |= zip(together, _costs(list(together.values()), limits), strict=True)
    return [
        inputs if isinstance(inputs, EnergiaError) else _result(period, inputs, costs[at], limits)
        for at, (period, inputs) in enumerate(work)
    ]


def _costs(work: Sequence[tuple[BillPeriod, Inputs]], limits: Limits) -> list[Cost | Exception]:
    """Return what periods of one tariff and window cost, or why one has no price."""
    plan, usages = work[0][1].plan, [inputs.usage for _, inputs in work]
    terms = [_terms(period, inputs, period.prior_state, limits) for period, inputs in work]
    try:
        return price_batch(plan.tariff, usages, plan.start, plan.end, terms)
    except Exception as error:
        if len(work) == 1:
            return [error]
    return [cost for each in work for cost in _costs([each], limits)]  # each fails for itself


def _result(
    period: BillPeriod, inputs: Inputs, cost: Cost | Exception, limits: Limits
) -> BillCost | EnergiaError:
    """Return what a period costs as it is told, or why it cannot be priced."""
    checkpoint()
    try:
        if isinstance(cost, Exception):
            raise cost
        return BillCost(period, inputs, _told(period, cost), inputs.coverage)
    except EnergiaError as error:
        return error
    except Exception as error:
        if period.client_state and _works_without_state(period, inputs, limits):
            message = "a charge cannot read what it shall remember"
            return Invalid.of("unreadable_state", message, "/state")
        return _failed(period, error)


def _terms(
    period: BillPeriod, inputs: Inputs, state: Mapping[str, Mapping[str, Any]], limits: Limits
) -> Terms:
    pointers = {channel.role: "/contract" for channel in inputs.plan.channels}
    return inputs.terms(state, period.missing, pointers, limits)


def _told(period: BillPeriod, cost: Cost) -> Cost:
    """Return a cost as people are told it."""
    money = as_money(cost)
    return attrs.evolve(money, assumptions=(*money.assumptions, VOID)) if period.is_void else money


def _works_without_state(period: BillPeriod, inputs: Inputs, limits: Limits) -> bool:
    """Tell whether it is the state that a client stated that a charge cannot work with."""
    plan, terms = inputs.plan, _terms(period, inputs, {}, limits)
    try:
        price(plan.tariff, inputs.usage, plan.start, plan.end, terms)
    except Exception:
        return False
    return True


def _failed(period: BillPeriod, error: Exception) -> ChargeFailed:
    import structlog  # costs 100 ms, and is needed here only

    contract, tariff = period.contract.id, period.contract.tariff
    log = structlog.get_logger(__name__)
    log.error("charge_failed", contract=contract, tariff=tariff, exc_info=error)
    return ChargeFailed(f"a charge of the tariff {tariff!r} failed: the log tells why")
