"""What a contract costs so far: what was measured is kept, and only new days are read.

What is kept ends with a whole day of the channels. It is void once a reading before that is
corrected, or once anything else that it depends on is changed.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import attrs
import numpy as np

import energia
from energia.billing.contracts import Placed, placed, priors
from energia.billing.errors import OutsideContract
from energia.billing.office import SQL, Office
from energia.billing.pricing import by_role
from energia.billing.readings import chosen
from energia.errors import Fault, IncompleteUsage, Invalid, TooLarge
from energia.metering import many
from energia.metering.many import Span
from energia.metering.models import Channel
from energia.metering.query import Revised
from energia.metering.series import MISSING, Series
from energia.pricing.engine import CostLine, price, roles
from energia.pricing.slots import Assumption
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff
from energia.pricing.terms import Terms
from energia.pricing.todate import SoFar, grows, measured, price_so_far
from energia.zones import DAY, Zone


@attrs.frozen(kw_only=True)
class CostToDate:
    """What a contract costs so far.

    Attributes:
        contract: The contract.
        currency: ISO 4217.
        total: The sum of the lines' amounts.
        start: When the bill starts.
        end: Until when there are readings of all channels.
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
class _Asked:
    """A growing bill: its contract, its tariff with the parameters filled in, its channels."""

    at: Placed
    tariff: Tariff
    first_day: date
    start: int
    now: int
    reads: tuple[tuple[str, Channel], ...]
    terms: Terms
    basis: str

    @property
    def zone(self) -> Zone:
        """The zone of the site."""
        return Zone.named(self.at.timezone)


@attrs.frozen
class _Kept:
    """What was measured before: a row of `cost_to_date`."""

    until: datetime
    revisions: list[datetime]
    measured: dict[str, Any]


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
    kept = await _kept(office, asked)
    begin = asked.start if kept is None else int(kept.until.timestamp())
    revised = await _read(office, asked, begin)
    end = max(begin, _complete(revised, begin))
    if end == asked.start:
        message = "there are no readings yet"
        raise IncompleteUsage(message, [Fault("never_sent", message)])
    version = asked.tariff.in_force(asked.start, end)
    usage = by_role(asked.reads, revised)
    if not grows(version):
        cost = price(asked.tariff, usage, asked.start, end, asked.terms)
    else:
        found = await _grown(office, asked, kept, usage, revised, end)
        cost = price_so_far(asked.tariff, asked.start, found, asked.terms)
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


async def _asked(office: Office, contract: str, start: date | None) -> _Asked:
    queries = office.tenant
    (at,) = await placed(queries, [contract])
    zone, now = Zone.named(at.timezone), int(office.clock.now().timestamp())
    today = zone.datetime(now).date()
    prior = (await priors(queries, [(contract, start or date.max)])).get(0)
    first = start or (prior.end if prior else max(at.contract.start, today.replace(day=1)))
    if first < at.contract.start or (at.contract.end and first >= at.contract.end) or first > today:
        message = f"the contract {contract!r} has no bill that grows on {first}"
        raise OutsideContract(message, [Fault(OutsideContract.code, message, "/query/start")])
    begin, end = zone.midnight(first), now
    if at.contract.end is not None:
        end = min(now, zone.midnight(at.contract.end))
    stored = await Tariffs(queries, office.converter).get(at.contract.tariff)
    tariff = stored.within(begin, end).filled(at.contract.parameters)
    declared = (await many.channels_of(queries, [at.contract.meter]))[at.contract.meter]
    version = tariff.in_force(begin, end)
    picked = chosen(declared, roles(version), at.contract.channels)
    reads = tuple((role, channel) for role, some in picked.items() for channel in some)
    terms = Terms(prior.state if prior else {})
    basis = _basis(office, tariff, reads)
    return _Asked(at, tariff, first, begin, end, reads, terms, basis)


def _basis(office: Office, tariff: Tariff, reads: Sequence[tuple[str, Channel]]) -> str:
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


async def _kept(office: Office, asked: _Asked) -> _Kept | None:
    channels = [channel for _, channel in asked.reads]
    found = await office.tenant.fetch(
        _Kept,
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


async def _read(office: Office, asked: _Asked, begin: int) -> list[Revised]:
    slots = sum((asked.now - begin) // channel.interval for _, channel in asked.reads)
    if slots > office.slots:
        raise TooLarge(f"{slots} slots are more than limits.slots, {office.slots}")
    spans = [Span(channel, begin, asked.now) for _, channel in asked.reads]
    return await many.revised(office.tenant, spans)


def _complete(revised: Sequence[Revised], begin: int) -> int:
    """Return until when all channels have readings."""
    return min((_last(one.series) for one in revised), default=begin)


def _last(series: Series) -> int:
    """Return the end of the last slot with a reading."""
    there = np.flatnonzero(series.values != MISSING)
    return series.start + (int(there[-1]) + 1) * series.interval if len(there) else series.start


async def _grown(  # noqa: PLR0913, PLR0917 - all that it takes
    office: Office,
    asked: _Asked,
    kept: _Kept | None,
    usage: Mapping[str, Series],
    revised: Sequence[Revised],
    end: int,
) -> SoFar:
    """Return what is measured until *end*, and keep what is of whole days."""
    before = None if kept is None else SoFar(int(kept.until.timestamp()), kept.measured)
    begin = asked.start if before is None else before.until
    whole = min(
        (channel.grid.day_start((end - channel.offset) // DAY) for _, channel in asked.reads),
        default=begin,
    )
    if whole > begin:
        before = measured(asked.tariff, usage, (begin, whole), before, asked.terms)
        await _keep(office, asked, before, kept, revised)
        begin = whole
    if end > begin:
        before = measured(asked.tariff, usage, (begin, end), before, asked.terms)
    assert before is not None
    return before


async def _keep(
    office: Office,
    asked: _Asked,
    found: SoFar,
    kept: _Kept | None,
    revised: Sequence[Revised],
) -> None:
    earlier = [None] * len(revised) if kept is None else kept.revisions
    pins = [max(filter(None, (old, new.revision_at))) for old, new in zip(earlier, revised, strict=True)]
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
