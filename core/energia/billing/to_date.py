"""What a contract costs so far: what was measured is kept, and only new days are read.

What is kept ends with a whole day of the channels. It is void once a reading before that is
corrected, or once anything else that it depends on is changed.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any

import attrs
import numpy as np

import energia
from energia.billing.bills import SQL, Bills
from energia.billing.contracts import ZonedContract, prior_bills, zoned_contracts
from energia.billing.errors import OutsideContract
from energia.costing.budget import refuse_costly
from energia.costing.growth import Measurement, can_grow, is_cut, measure, price_measurement
from energia.costing.inputs import Inputs, Plan, read_inputs, refuse_large
from energia.errors import IncompleteUsage
from energia.metering import registry
from energia.metering.series import MISSING, Series
from energia.metering.stored import Seen, revised
from energia.pricing.engine import Cost, CostLine, as_money, price
from energia.pricing.slots import Assumption
from energia.pricing.store import Tariffs
from energia.time import DAY, Zone, instant_of, utc
from energia.work import off_loop


@attrs.frozen(kw_only=True)
class CostToDate:
    """What a contract costs so far.

    Attributes:
        contract: The contract.
        currency: ISO 4217.
        total: The sum of the lines' amounts.
        start: When the bill starts.
        end: Until when there are readings of all channels; now, if none is charged.
        lines: What the charges charge so far.
        assumptions: What was taken for granted.
        kept_until: Until when what was measured before could be used; null if nothing could.

    """

    contract: str
    currency: str
    total: str
    start: datetime
    end: datetime
    lines: tuple[CostLine, ...]
    assumptions: tuple[Assumption, ...]
    kept_until: datetime | None


@attrs.frozen(eq=False)
class OpenBill:
    """The bill of a contract that grows with its readings.

    Attributes:
        zoned: The contract, with the zone of its site.
        first_day: The first day of the bill.
        plan: What it takes from its start until now, or until the contract ends.
        state: What the charges remember from the bill before.
        basis: All that measuring depends on besides the readings, as text.

    """

    zoned: ZonedContract
    first_day: date
    plan: Plan
    state: Mapping[str, Mapping[str, Any]]
    basis: str

    @property
    def zone(self) -> Zone:
        """The zone of the site."""
        return Zone.named(self.zoned.timezone)

    @cached_property
    def grows(self) -> bool:
        """Whether what is measured can be kept and added to."""
        versions = self.plan.versions
        is_dated = any(channel.is_dated for channel in self.plan.channels)
        in_slots = all(each.channel.kind == "interval" for each in self.plan.channels)
        return len(versions) == 1 and can_grow(versions[0]) and in_slots and not is_dated


@attrs.frozen
class KeptMeasures:
    """What was measured before, and by which revisions: a row of `cost_to_date`."""

    until: datetime
    revisions: list[datetime]
    measured: dict[str, Any]

    @property
    def measurement(self) -> Measurement:
        """The measures, to be added to."""
        return Measurement(instant_of(self.until), self.measured)


async def cost_to_date(bills: Bills, contract: str, start: date | None) -> CostToDate:
    """Return what *contract* costs from the day *start* to the last readings that there are.

    Without *start*, since what is billed: from the end of its newest issued bill; without a bill,
    since the contract's start.

    Raises:
        NotFound: The contract is unknown.
        OutsideContract: The contract is not in force on the day.
        IncompleteUsage: There are no readings yet, or some are missing among them; it names the
            window.

    """
    bill = await _open_bill(bills, contract, start)
    measures = await _kept(bills, bill) if bill.grows else None
    begin = bill.plan.start if measures is None else measures.measurement.until
    rest = attrs.evolve(bill.plan, start=begin)
    refuse_large(rest.slots, bills.limits.slots)
    (inputs,) = await read_inputs(bills.tenant, [rest])
    end = max(begin, min(_ends(inputs), default=bill.plan.end))
    if end == bill.plan.start:
        raise _no_readings(bill)
    cost = as_money(await _cost(bills, bill, measures, inputs, end))
    return CostToDate(
        contract=contract,
        currency=cost.currency,
        total=cost.total,
        start=bill.zone.datetime(bill.plan.start),
        end=bill.zone.datetime(end),
        lines=cost.lines,
        assumptions=cost.assumptions,
        kept_until=None if measures is None else bill.zone.datetime(begin),
    )


def _no_readings(bill: OpenBill) -> IncompleteUsage:
    window = f"from {bill.first_day} to {bill.zone.text(bill.plan.end)}"
    return IncompleteUsage.of("never_sent", f"there are no readings yet {window}")


async def _open_bill(bills: Bills, id_: str, start: date | None) -> OpenBill:
    queries = bills.tenant
    (zoned,) = await zoned_contracts(queries, [id_])
    contract = zoned.contract
    prior = (await prior_bills(queries, [(id_, start or date.max)])).get(0)
    first, begin, end = _window(bills, zoned, start or (prior.end if prior else None))
    tariff = await Tariffs(queries, bills.converter).get(contract.tariff)
    local = tariff.at(Zone.named(zoned.timezone))
    filled_tariff = local.within(begin, end).filled(contract.parameters)
    filled_tariff.in_force(begin, end)  # raises where no version is in force
    declared = (await registry.channels_of(queries, [contract.meter]))[contract.meter]
    plan = Plan((filled_tariff,), begin, end).of_meter(declared, contract.channels, None)
    state = prior.state if prior else {}
    return OpenBill(zoned, first, plan, state, _basis(bills, plan))


def _window(bills: Bills, zoned: ZonedContract, start: date | None) -> tuple[date, int, int]:
    """Return the first day of the bill, when it starts, and when it would end now."""
    zone, contract = Zone.named(zoned.timezone), zoned.contract
    now = instant_of(bills.clock.now())
    first = start or contract.start
    begin = zone.midnight(first)
    end = now if contract.end is None else min(now, zone.midnight(contract.end))
    if first < contract.start or begin >= end:
        message = f"the contract {contract.id!r} has no bill that grows on {first}"
        raise OutsideContract.of(OutsideContract.code, message, "/query/start")
    return first, begin, end


def _basis(bills: Bills, plan: Plan) -> str:
    """Return the text of all that measuring depends on besides the readings."""
    kinds = {charge.kind for version in plan.tariff.versions for charge in version.charges}
    offered = {kind: bills.plugins.charge_provider(kind) for kind in kinds}
    stated = {
        "energia": energia.__version__,
        "plugins": {kind: [by.name, by.version] for kind, by in sorted(offered.items())},
        "tariff": bills.converter.unstructure(plan.tariff),
        "channels": [[each.role, each.channel.key] for each in plan.channels],
    }
    return bills.converter.dumps(stated).decode()


async def _kept(bills: Bills, bill: OpenBill) -> KeptMeasures | None:
    """Return what is kept of a bill, unless something that it depends on has changed."""
    rows = await bills.tenant.fetch(
        KeptMeasures,
        SQL["to_date_get"],
        {
            "contract": bill.zoned.contract.id,
            "start": bill.first_day,
            "end": utc(bill.plan.end),
            "basis": bill.basis,
        },
    )
    if not rows or await revised(bills.tenant, list(_seen(bill.plan, rows[0]))):
        return None
    return rows[0]


def _seen(plan: Plan, kept: KeptMeasures) -> Iterator[Seen]:
    """Yield the days of each channel that are in what was measured."""
    until = instant_of(kept.until)
    for each, revision in zip(plan.channels, kept.revisions, strict=True):
        start, past = ((at - each.channel.offset) // DAY for at in (plan.start, until))
        if past > start:
            yield Seen(each.channel.key, range(start, past), revision)


async def _keep(
    bills: Bills,
    bill: OpenBill,
    measurement: Measurement,
    measures: KeptMeasures | None,
    inputs: Inputs,
) -> None:
    """Keep *measurement*, made of the *measures* kept before and the readings since."""
    earlier = [None] * len(inputs.readings) if measures is None else measures.revisions
    # A whole day is kept only where every channel has a reading by its end, so none lacks both.
    pins = [
        max(filter(None, (old, new.revision_at)))
        for old, new in zip(earlier, inputs.readings, strict=True)
    ]
    await bills.tenant.execute(
        SQL["to_date_put"],
        {
            "contract": bill.zoned.contract.id,
            "start": bill.first_day,
            "until": utc(measurement.until),
            "revisions": pins,
            "basis": bill.basis,
            "measured": bills.converter.dumps(measurement.measured).decode(),
        },
    )


def _ends(inputs: Inputs) -> Iterator[int]:
    """Yield until when there are readings of each channel, but for those that ended before."""
    for span, reading in zip(inputs.plan.reading_spans, inputs.readings, strict=True):
        last = _last(reading.series)
        if last < span.end or span.end == inputs.plan.end:
            yield last


def _last(series: Series) -> int:
    """Return the end of the last slot with a reading."""
    there = np.flatnonzero(series.values != MISSING)
    return series.start + (int(there[-1]) + 1) * series.interval if len(there) else series.start


async def _cost(
    bills: Bills, bill: OpenBill, measures: KeptMeasures | None, inputs: Inputs, end: int
) -> Cost:
    tariff, start = bill.plan.tariff, bill.plan.start
    if not bill.grows:
        terms = inputs.terms(bill.state, "refuse", {}, bills.limits)
        refuse_costly(inputs.plan, (start, end), bills.limits.pricing)
        return await off_loop(price, tariff, inputs.usage, start, end, terms)
    known = None if measures is None else measures.measurement
    whole = _whole_days(bill.plan, end)
    if whole > (start if known is None else known.until):
        known = await off_loop(measure, tariff, inputs.usage, start, whole, known)
        await _keep(bills, bill, known, measures, inputs)
    if known is None or end > known.until:
        known = await off_loop(measure, tariff, inputs.usage, start, end, known)
    terms = inputs.terms(bill.state, "refuse", {}, bills.limits)
    return await off_loop(price_measurement, tariff, start, known, terms)


def _whole_days(plan: Plan, end: int) -> int:
    """Return the end of the last day that no channel adds to; the start where it is no cut."""
    channels = [each.channel for each in plan.channels]
    ends = [channel.grid.day_start((end - channel.offset) // DAY) for channel in channels]
    whole = min(ends, default=plan.start)
    return whole if is_cut(plan.versions[0], plan.tariff.zone, whole) else plan.start
