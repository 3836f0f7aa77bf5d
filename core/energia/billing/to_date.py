"""What a contract costs so far: what was measured is kept, and only new days are read.

What is kept ends with a whole day of the channels. It is void once a reading before that is
corrected, or once anything else that it depends on is changed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import attrs
import numpy as np

import energia
from energia.billing.bills import SQL, Office
from energia.billing.contracts import Placed, placed, priors
from energia.billing.errors import OutsideContract
from energia.billing.pricing import by_role
from energia.costing.growth import SoFar, grows, is_a_cut, measured, price_so_far
from energia.costing.usage import chosen
from energia.errors import Fault, IncompleteUsage, TooLarge
from energia.metering import query, registry
from energia.metering.models import Channel
from energia.metering.query import Span, StoredSeries
from energia.metering.series import MISSING, Series
from energia.pricing.engine import Cost, CostLine, price
from energia.pricing.market.needs import series_of
from energia.pricing.market.store import PriceSpan, PriceStore
from energia.pricing.segments import roles
from energia.pricing.slots import Assumption
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.usage import Terms
from energia.zones import DAY, Zone


@attrs.frozen(eq=False)
class Growing:
    """A bill that grows: its contract, its tariff with the parameters filled in, its channels."""

    at: Placed
    tariff: Tariff
    first_day: date
    start: int
    now: int
    reads: tuple[tuple[str, Channel], ...]
    state: Mapping[str, Mapping[str, Any]]
    basis: str

    @property
    def zone(self) -> Zone:
        """The zone of the site."""
        return Zone.named(self.at.timezone)

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        """The versions that are in force."""
        return tuple(span.version for span in self.tariff.in_force(self.start, self.now))

    @cached_property
    def grows(self) -> bool:
        """Whether what is measured can be kept and added to."""
        versions = self.versions
        return len(versions) == 1 and grows(versions[0])


@attrs.frozen
class Kept:
    """What was measured before: a row of `cost_to_date`."""

    until: datetime
    revisions: list[datetime]
    measured: dict[str, Any]


async def kept_of(office: Office, asked: Growing) -> Kept | None:
    """Return what is kept of a bill, unless something that it depends on has changed."""
    channels = [channel for _, channel in asked.reads]
    found = await office.tenant.fetch(
        Kept,
        SQL["to_date_get"],
        {
            "contract": asked.at.contract.id,
            "start": asked.first_day,
            "end": datetime.fromtimestamp(asked.now, UTC),
            "basis": asked.basis,
            "channels": [channel.key for channel in channels],
            "first": [(asked.start - channel.offset) // DAY for channel in channels],
            "offsets": [channel.offset for channel in channels],
        },
    )
    return found[0] if found else None


async def keep(
    office: Office,
    asked: Growing,
    found: SoFar,
    kept: Kept | None,
    revised: Sequence[StoredSeries],
) -> None:
    """Keep what was *found*, given what was *kept* before and the readings since."""
    earlier = [None] * len(revised) if kept is None else kept.revisions
    pins = [
        max(filter(None, (old, new.revision_at))) for old, new in zip(earlier, revised, strict=True)
    ]
    await office.tenant.execute(
        SQL["to_date_put"],
        {
            "contract": asked.at.contract.id,
            "start": asked.first_day,
            "until": datetime.fromtimestamp(found.until, UTC),
            "revisions": pins,
            "basis": asked.basis,
            "measured": office.converter.dumps(found.measured).decode(),
        },
    )


def basis_of(office: Office, tariff: Tariff, reads: Sequence[tuple[str, Channel]]) -> str:
    """Return the text of all that measuring depends on besides the readings."""
    kinds = {charge.kind for version in tariff.versions for charge in version.charges}
    offered = {kind: office.plugins.charge_provider(kind) for kind in kinds}
    stated = {
        "energia": energia.__version__,
        "plugins": {kind: [one.name, one.version] for kind, one in sorted(offered.items())},
        "tariff": office.converter.unstructure(tariff),
        "channels": [[role, channel.key] for role, channel in reads],
    }
    return office.converter.dumps(stated).decode()


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


async def cost_to_date(office: Office, contract: str, start: date | None) -> CostToDate:
    """Return what *contract* costs from the day *start* to the last readings that there are.

    Without *start*, from the end of its newest issued bill; without a bill, from the first day of
    the month or of the contract, whichever is later.

    Raises:
        NotFound: There is no such contract.
        OutsideContract: The contract is not in force on the day.
        IncompleteUsage: There are no readings yet, or some are missing among them.

    """
    asked = await _asked(office, contract, start)
    kept = await kept_of(office, asked) if asked.grows else None
    begin = asked.start if kept is None else int(kept.until.timestamp())
    revised = await _read(office, asked, begin)
    end = max(begin, min((_last(one.series) for one in revised), default=asked.now))
    if end == asked.start:
        message = "there are no readings yet"
        raise IncompleteUsage(message, [Fault("never_sent", message)])
    cost = await _cost(office, asked, kept, revised, end)
    return CostToDate(
        contract=contract,
        currency=cost.currency,
        total=cost.total,
        start=asked.zone.datetime(asked.start),
        end=asked.zone.datetime(end),
        lines=cost.lines,
        assumptions=cost.assumptions,
        kept_until=None if kept is None else asked.zone.datetime(begin),
    )


async def _asked(office: Office, contract: str, start: date | None) -> Growing:
    queries = office.tenant
    (at,) = await placed(queries, [contract])
    prior = (await priors(queries, [(contract, start or date.max)])).get(0)
    first, begin, end = _window(office, at, start or (prior.end if prior else None))
    stored = await Tariffs(queries, office.converter).get(at.contract.tariff)
    tariff = stored.within(begin, end).filled(at.contract.parameters)
    declared = (await registry.channels_of(queries, [at.contract.meter]))[at.contract.meter]
    versions = [span.version for span in tariff.in_force(begin, end)]
    picked = chosen(declared, roles(versions), at.contract.channels)
    reads = tuple((role, channel) for role, some in picked.items() for channel in some)
    state = prior.state if prior else {}
    return Growing(at, tariff, first, begin, end, reads, state, basis_of(office, tariff, reads))


def _window(office: Office, at: Placed, start: date | None) -> tuple[date, int, int]:
    """Return the first day of the bill, when it starts, and when it would end now."""
    zone, contract = Zone.named(at.timezone), at.contract
    now = int(office.clock.now().timestamp())
    first = start or max(contract.start, zone.datetime(now).date().replace(day=1))
    begin = zone.midnight(first)
    end = now if contract.end is None else min(now, zone.midnight(contract.end))
    if first < contract.start or begin >= end:
        message = f"the contract {contract.id!r} has no bill that grows on {first}"
        raise OutsideContract(message, [Fault(OutsideContract.code, message, "/query/start")])
    return first, begin, end


async def _read(office: Office, asked: Growing, begin: int) -> list[StoredSeries]:
    slots = sum((asked.now - begin) // channel.interval for _, channel in asked.reads)
    if slots > office.slots:
        raise TooLarge(f"{slots} slots are more than limits.slots, {office.slots}")
    spans = [Span(channel, begin, asked.now) for _, channel in asked.reads]
    return await query.read(office.tenant, spans)


def _last(series: Series) -> int:
    """Return the end of the last slot with a reading."""
    there = np.flatnonzero(series.values != MISSING)
    return series.start + (int(there[-1]) + 1) * series.interval if len(there) else series.start


async def _cost(
    office: Office, asked: Growing, kept: Kept | None, revised: Sequence[StoredSeries], end: int
) -> Cost:
    usage = by_role(asked.reads, revised)
    if not asked.grows:
        names = series_of(asked.versions)
        spans = [PriceSpan(name, asked.start, end) for name in names]
        read = await PriceStore(office.tenant).read(spans)
        prices = {name: one for name, one in zip(names, read, strict=True) if one is not None}
        terms = Terms(asked.state, prices=prices)
        return await asyncio.to_thread(price, asked.tariff, usage, asked.start, end, terms)
    before = None if kept is None else SoFar(int(kept.until.timestamp()), kept.measured)
    whole = _whole_days(asked, end)
    if whole > (asked.start if before is None else before.until):
        before = measured(asked.tariff, usage, asked.start, whole, before)
        await keep(office, asked, before, kept, revised)
    if before is None or end > before.until:
        before = measured(asked.tariff, usage, asked.start, end, before)
    return price_so_far(asked.tariff, asked.start, before, Terms(asked.state))


def _whole_days(asked: Growing, end: int) -> int:
    """Return the end of the last day that no channel adds to; the start where it is no cut."""
    ends = [channel.grid.day_start((end - channel.offset) // DAY) for _, channel in asked.reads]
    whole = min(ends, default=asked.start)
    return whole if is_a_cut(asked.versions[0], asked.tariff.zone, whole) else asked.start
