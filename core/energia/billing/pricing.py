"""Prices periods of contracts: many at once, with one statement for each kind of input."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import attrs

from energia.billing.errors import ChargeFailed, OutsideContract
from energia.billing.models import Contract
from energia.costing.usage import chosen, coverage, summed
from energia.db.tenant import Queries
from energia.errors import EnergiaError, Fault, Invalid, TooLarge
from energia.metering import query, registry
from energia.metering.models import Channel
from energia.metering.query import Span, StoredSeries
from energia.metering.series import Series
from energia.metering.usage import Coverage
from energia.pricing.engine import Cost, price
from energia.pricing.market.needs import series_of
from energia.pricing.market.series import PriceSeries
from energia.pricing.market.store import PriceSpan, PriceStore
from energia.pricing.segments import codes, roles
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.usage import Missing, Terms, refuse_unknown
from energia.zones import Zone


@attrs.frozen(eq=False)
class Asked:
    """A period of a contract to price.

    Attributes:
        contract: The contract.
        timezone: The zone of its site.
        start: The first day.
        end: The day after the last one.
        prior_state: What the charges remember from the bill before, by their codes.
        missing: What becomes of missing readings.
        stated: Whether a client states `prior_state`: then no charge in it may be unknown. What a
            bill has left is handed on even by a version without the charge.

    """

    contract: Contract
    timezone: str
    start: date
    end: date
    prior_state: Mapping[str, Mapping[str, Any]]
    missing: Missing = "refuse"
    stated: bool = False


@attrs.frozen(eq=False)
class Priced:
    """A period of a contract, priced.

    Attributes:
        asked: What was asked.
        versions: The versions of the tariff that were in force, in order.
        cost: What it costs.
        coverage: What the readings are.
        reads: The channels that were read, each with its role.
        revised: What was read of each.
        prices: The price series that were read, by name.

    """

    asked: Asked
    versions: tuple[Version, ...]
    cost: Cost
    coverage: Coverage
    reads: tuple[tuple[str, Channel], ...]
    revised: tuple[StoredSeries, ...]
    prices: Mapping[str, PriceSeries] = attrs.field(factory=dict)


@attrs.frozen(eq=False)
class _Ready:
    """What is known before the readings are."""

    asked: Asked
    tariff: Tariff
    versions: tuple[Version, ...]
    window: tuple[int, int]
    reads: tuple[tuple[str, Channel], ...]

    @property
    def series(self) -> list[PriceSpan]:
        """The prices that are needed."""
        return [PriceSpan(name, *self.window) for name in series_of(self.versions)]


async def price_all(
    queries: Queries, tariffs: Tariffs, asked: Sequence[Asked], limit: int
) -> list[Priced | EnergiaError]:
    """Return what each of *asked* costs by what is stored now, or why it cannot be priced.

    Args:
        queries: The database.
        tariffs: The stored tariffs.
        asked: What to price.
        limit: How many slots one of them may have.

    """
    known = await tariffs.each({one.contract.tariff for one in asked})
    declared = await registry.channels_of(queries, {one.contract.meter for one in asked})
    ready = [_prepared(one, known, declared[one.contract.meter], limit) for one in asked]
    spans = [
        Span(channel, *one.window)
        for one in ready
        if isinstance(one, _Ready)
        for _, channel in one.reads
    ]
    read = iter(await query.read(queries, spans))
    found = [
        (one, [next(read) for _ in one.reads] if isinstance(one, _Ready) else []) for one in ready
    ]
    prices = await _prices(queries, ready)
    return await asyncio.to_thread(
        lambda: [_priced(one, revised, prices) for one, revised in found]
    )


async def _prices(
    queries: Queries, ready: Sequence["_Ready | EnergiaError"]
) -> dict[PriceSpan, PriceSeries | None]:
    """Read the prices that all of *ready* need: each part of a series once, in one statement."""
    spans = dict.fromkeys(span for one in ready if isinstance(one, _Ready) for span in one.series)
    return dict(zip(spans, await PriceStore(queries).read(list(spans)), strict=True))


def window_of(asked: Asked) -> tuple[int, int]:
    """Return when the period starts and ends, in seconds since 1970-01-01T00:00Z."""
    return _window(asked.timezone, asked.start, asked.end)


@lru_cache(maxsize=4096)
def _window(timezone: str, start: date, end: date) -> tuple[int, int]:
    zone = Zone.named(timezone)
    return zone.midnight(start), zone.midnight(end)


def _prepared(
    asked: Asked,
    tariffs: Mapping[str, Tariff | EnergiaError],
    declared: Sequence[Channel],
    limit: int,
) -> _Ready | EnergiaError:
    try:
        tariff = tariffs[asked.contract.tariff]
        if isinstance(tariff, EnergiaError):
            return tariff
        _refuse_outside(asked)
        window = window_of(asked)
        filled = tariff.within(*window).filled(asked.contract.parameters)
        spans = filled.in_force(*window)
        versions = tuple(span.version for span in spans)
        if asked.stated:
            refuse_unknown(asked.prior_state, codes(spans))
        by_role = chosen(declared, roles(versions), asked.contract.channels)
        reads = tuple((role, channel) for role, some in by_role.items() for channel in some)
        slots = sum((window[1] - window[0]) // channel.interval for _, channel in reads)
        if slots > limit:
            raise TooLarge(f"{slots} slots are more than limits.slots, {limit}")
    except EnergiaError as error:
        return error
    return _Ready(asked, filled, versions, window, reads)


def _priced(
    ready: _Ready | EnergiaError,
    revised: Sequence[StoredSeries],
    market: Mapping[PriceSpan, PriceSeries | None],
) -> Priced | EnergiaError:
    if not isinstance(ready, _Ready):
        return ready
    asked = ready.asked
    pointers = {role: "/contract" for role, _ in ready.reads}
    prices = {span.series: one for span in ready.series if (one := market[span]) is not None}
    terms = Terms(asked.prior_state, asked.missing, pointers, prices)
    series: Mapping[str, Series] = {}
    try:
        series = by_role(ready.reads, revised)
        cost = price(ready.tariff, series, *ready.window, terms)
    except EnergiaError as error:
        return error
    except Exception as error:
        if asked.stated and _does_without_state(ready, series, terms):
            return _unreadable()
        return _failed(asked, error)
    covered = coverage(list(series.values()), *ready.window)
    return Priced(asked, ready.versions, cost, covered, ready.reads, tuple(revised), prices)


def by_role(
    reads: Sequence[tuple[str, Channel]], revised: Sequence[StoredSeries]
) -> dict[str, Series]:
    """Return the readings of each role: the sum of its channels."""
    parts: dict[str, list[Series]] = {}
    for (role, _), one in zip(reads, revised, strict=True):
        parts.setdefault(role, []).append(one.series)
    return {role: summed(role, series) for role, series in parts.items()}


def _does_without_state(ready: _Ready, series: Mapping[str, Series], terms: Terms) -> bool:
    """Tell whether it is the state that a client states that a charge cannot work with."""
    try:
        price(ready.tariff, series, *ready.window, attrs.evolve(terms, state={}))
    except Exception:
        return False
    return True


def _unreadable() -> Invalid:
    message = "a charge cannot read what it shall remember"
    return Invalid(message, [Fault("unreadable_state", message, "/state")])


def _failed(asked: Asked, error: Exception) -> ChargeFailed:
    """Return the failure of one: a charge that fails keeps no other contract from its bill."""
    import structlog  # costs 100 ms, and is needed here only

    contract, tariff = asked.contract.id, asked.contract.tariff
    log = structlog.get_logger(__name__)
    log.error("charge_failed", contract=contract, tariff=tariff, exc_info=error)
    return ChargeFailed(f"a charge of the tariff {tariff!r} failed: the log tells why")


def _refuse_outside(asked: Asked) -> None:
    contract = asked.contract
    if asked.start < contract.start or (contract.end is not None and asked.end > contract.end):
        until = f"until {contract.end}" if contract.end else "without an end"
        message = f"the contract {contract.id!r} is in force from {contract.start} {until}"
        raise OutsideContract(message, [Fault(OutsideContract.code, message, "/start")])
