"""What a site costs: the contracts of its meters, priced together and added up."""

from collections.abc import Mapping, Sequence
from datetime import date

import attrs

from energia.billing.bills import Bills
from energia.billing.contracts import SQL, ZonedContract, prior_bills, zoned_contracts
from energia.billing.periods import BillCost, BillPeriod
from energia.costing.inputs import refuse_large
from energia.db.tenant import Queries
from energia.errors import EnergiaError, Fault, IncompleteUsage, Invalid
from energia.metering import registry
from energia.metering.models import Channel
from energia.metering.usage import Coverage, together
from energia.pricing.exact import added
from energia.pricing.slots import Assumption
from energia.pricing.usage import Missing
from energia.spending import spend
from energia.time import DAY

#: How many contracts one answer adds up.
MOST = 100


@attrs.frozen
class ContractCost:
    """What a contract adds to the costs of its site.

    Attributes:
        contract: The contract.
        meter: Its meter.
        tariff: Its tariff.
        start: The first day: of the window, or of the contract.
        end: The day after the last one.
        total: What these days cost, as a bill of them would.
        coverage: What the readings are.
        assumptions: What was taken for granted.

    """

    contract: str
    meter: str
    tariff: str
    start: date
    end: date
    total: str
    coverage: Coverage
    assumptions: tuple[Assumption, ...]


@attrs.frozen
class SiteCost:
    """What the contracts at a site cost together.

    Attributes:
        site: The site.
        start: The first day.
        end: The day after the last one.
        currency: ISO 4217; null without any contract.
        total: The sum of the contracts' totals.
        coverage: What it rests on: the slots of all of them.
        contracts: What each adds, by id.
        uncontracted: The meters at the site that have no contract on any of the days.

    """

    site: str
    start: date
    end: date
    currency: str | None
    total: str
    coverage: Coverage
    contracts: tuple[ContractCost, ...]
    uncontracted: tuple[str, ...]


async def cost_at_site(
    bills: Bills, site: str, start: date, end: date, missing: Missing
) -> SiteCost:
    """Return what the days from *start* until before *end* cost at a site; nothing is stored.

    Each contract is priced for the days that it is in force, as a bill of them would be: after the
    newest issued bill that ends by then.

    Raises:
        NotFound: There is no such site.
        IncompleteUsage: Readings are missing, and they are not to be filled in.
        Invalid: One of the contracts cannot be priced; they are in several currencies, or too many.

    """
    if end <= start:
        raise Invalid.of("empty_window", "the end must be after the start", "/query/end")
    async with bills.tenant.transaction() as queries:
        await registry.site(queries, site)
        meters = [id_ for id_, _ in await registry.zones_of(queries, site=site)]
        given = {"meters": meters, "start": start, "end": end, "limit": MOST + 1}
        ids = await queries.fetch(str, SQL["contract_of_meters"], given)
        if len(ids) > MOST:
            message = f"the site has more than {MOST} contracts in the window: run bills instead"
            raise Invalid.of("too_many_contracts", message, "/path/site")
        zoned = await zoned_contracts(queries, ids) if ids else []
        await _refuse_many_slots(queries, zoned, (start, end), bills.limits.slots)
        periods = await _periods(queries, zoned, BillDays(start, end, missing))
        priced = await bills.price(queries, periods)
    costs = _priced(zoned, priced)
    return SiteCost(
        site=site,
        start=start,
        end=end,
        currency=_currency(costs),
        total=added(cost.cost.total for cost in costs),
        coverage=together(cost.coverage for cost in costs),
        contracts=tuple(map(_contract_cost, costs)),
        uncontracted=tuple(sorted({*meters} - {each.contract.meter for each in zoned})),
    )


@attrs.frozen
class BillDays:
    """The days that are priced, and what is done about missing readings."""

    start: date
    end: date
    missing: Missing


async def _periods(
    queries: Queries, zoned: Sequence[ZonedContract], days: BillDays
) -> list[BillPeriod]:
    whole = [
        BillPeriod(each.contract, each.timezone, days.start, days.end, {}, days.missing).in_force
        for each in zoned
    ]
    pairs = [(period.contract.id, period.start) for period in whole]
    prior = await prior_bills(queries, pairs) if pairs else {}
    return [
        attrs.evolve(period, prior_state=prior[index].state) if index in prior else period
        for index, period in enumerate(whole)
    ]


async def _refuse_many_slots(
    queries: Queries, zoned: Sequence[ZonedContract], days: tuple[date, date], limit: int
) -> None:
    """Refuse more slots than a request may be about, of all meters together."""
    meters = {each.contract.meter for each in zoned}
    declared: Mapping[str, Sequence[Channel]] = await registry.channels_of(queries, meters)
    seconds = (days[1] - days[0]).days * DAY
    slots = sum(seconds // each.interval for channels in declared.values() for each in channels)
    refuse_large(slots, limit)
    spend(slots)


def _priced(
    zoned: Sequence[ZonedContract], priced: Sequence[BillCost | EnergiaError]
) -> list[BillCost]:
    """Return the costs of all contracts; raises `Invalid` if there is one that has none."""
    costs, faults = list[BillCost](), list[Fault]()
    for each, result in zip(zoned, priced, strict=True):
        if isinstance(result, BillCost):
            costs.append(result)
            continue
        reasons = [fault.message for fault in result.faults[:1]] or [result.detail or result.title]
        code = result.faults[0].code if result.faults else result.code
        faults.append(Fault(code, f"contract {each.contract.id!r}: {reasons[0]}", "/path/site"))
    if not faults:
        return costs
    incomplete = all(isinstance(each, BillCost | IncompleteUsage) for each in priced)
    raise (IncompleteUsage if incomplete else Invalid).of_all(faults)


def _currency(costs: Sequence[BillCost]) -> str | None:
    currencies = sorted({cost.cost.currency for cost in costs})
    if len(currencies) > 1:
        message = f"the contracts are in {' and '.join(currencies)}: there is no sum of both"
        raise Invalid.of("different_currencies", message, "/path/site")
    return currencies[0] if currencies else None


def _contract_cost(cost: BillCost) -> ContractCost:
    contract = cost.period.contract
    return ContractCost(
        contract.id,
        contract.meter,
        contract.tariff,
        cost.period.start,
        cost.period.end,
        cost.cost.total,
        cost.coverage,
        cost.cost.assumptions,
    )
