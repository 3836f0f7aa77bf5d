"""Finds what nobody does: gaps, late prices, ends of contracts, effects on issued bills."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import attrs

from energia.billing.affected import AffectedPlace, affected
from energia.billing.bills import Bills, Filter
from energia.convert import dumps, parse
from energia.db.tenant import Tenant
from energia.metering import gaps, query, registry
from energia.metering.gaps import Gap
from energia.metering.models import Channel
from energia.metering.query import Span
from energia.metering.series import Series
from energia.pricing.market.keeper import GRACE
from energia.pricing.market.store import is_stale
from energia.pricing.tariffs import tariff_converter
from energia.time import DAY, Instant, instant_of, utc
from energia.webhooks.events import AffectedBillData, ContractEndData, GapData, StalePriceData
from energia.webhooks.models import EventType
from energia.webhooks.store import SQL

if TYPE_CHECKING:
    from energia.core import Core

#: For so many days gaps are looked for.
_DAYS: Final = 31
#: Of how many meters readings are read at once, and of how many bills it is told at once.
_BATCH: Final = 100


@attrs.frozen
class Finding:
    """Something that is to be told, or was.

    Attributes:
        subject: What it is about.
        cause: What is known of it: another cause is told anew.
        news: What is told of it now.

    """

    subject: str
    cause: str
    news: tuple[object, ...]


#: Finds what is so now, given what was found before, by subject, and since when anybody wants it.
Find = Callable[["Core", Tenant, Mapping[str, str], datetime], Awaitable[list[Finding]]]


# Gaps: a channel that had readings has none any more, or none for a while.


async def find_gaps(
    core: "Core", tenant: Tenant, known: Mapping[str, str], since: datetime
) -> list[Finding]:
    """Find the channels that have gaps: slots that were never sent, after others that were.

    A gap is told once its first slot is older than `webhooks.gap_after`; none that was so before a
    webhook wanted to know it. While any part of it is left it is the same one.
    """
    end = instant_of(core.clock.now()) - int(core.settings.webhooks.gap_after)
    start, after = end - _DAYS * DAY, ""
    told_from = instant_of(since) - int(core.settings.webhooks.gap_after)
    found = list[Finding]()
    while meters := await registry.meters(tenant, after, _BATCH):
        after = meters[-1].id
        channels = [
            channel
            for several in (await registry.channels_of(tenant, [one.id for one in meters])).values()
            for channel in several
            if channel.kind == "interval"
        ]
        spans = [Span(channel, start, end) for channel in channels]
        for channel, stored in zip(channels, await query.read(tenant, spans), strict=True):
            found += _of_channel(channel, stored.series, known, told_from)
    return found


def _of_channel(
    channel: Channel, series: Series, known: Mapping[str, str], told_from: Instant
) -> Iterator[Finding]:
    """Yield what is found of a channel, if it has gaps."""
    subject = f"{channel.meter}/{channel.id}"
    before: Any = parse(known[subject].encode()) if subject in known else []
    # What is missing from the first slot on began before it, or the channel had no readings yet.
    listed = [gap for gap in gaps.gaps(series).listed() if gap.reason == "never_sent"]
    here = [gap for gap in listed if gap.start > series.start or _is_known(gap, before)]
    if here:
        news = tuple(
            GapData(channel.meter, channel.id, utc(gap.start), _ended(gap, series))
            for gap in here
            if gap.start >= told_from and not _is_known(gap, before)
        )
        cause = dumps([[gap.start, gap.end] for gap in here]).decode()
        yield Finding(subject, cause, news)


def _ended(gap: Gap, series: Series) -> datetime | None:
    return None if gap.end == series.end else utc(gap.end)


def _is_known(gap: Gap, before: Iterable[tuple[int, int]]) -> bool:
    """Tell whether any part of a gap was found before."""
    return any(gap.start < end and start < gap.end for start, end in before)


# Price series that have not got what they should have.


@attrs.frozen
class _Feed:
    """How a feed is doing, in the order of the columns of `stale_feeds`."""

    name: str
    series: str
    next_update: datetime | None
    succeeded_at: datetime | None
    error: str | None


async def find_stale_prices(
    core: "Core", tenant: Tenant, known: Mapping[str, str], _: datetime
) -> list[Finding]:
    """Find the price series that are `stale`: once for each update that does not come."""
    late = core.clock.now() - timedelta(seconds=GRACE)
    return [
        _finding(
            f"{feed.series} {feed.name}",
            str(feed.next_update),
            StalePriceData(feed.series, feed.name, feed.next_update, feed.succeeded_at, feed.error),
            known,
        )
        for feed in await tenant.fetch(_Feed, SQL["stale_feeds"])
        if is_stale(feed.next_update, feed.error, late)
    ]


async def find_ending_contracts(
    core: "Core", tenant: Tenant, known: Mapping[str, str], _: datetime
) -> list[Finding]:
    """Find the contracts that end soon: once for each day on which one was to end."""
    row = {"now": core.clock.now(), "days": core.settings.webhooks.contract_days}
    return [
        _finding(contract.contract, contract.end.isoformat(), contract, known)
        for contract in await tenant.fetch(ContractEndData, SQL["ending_contracts"], row)
    ]


async def find_affected_bills(
    core: "Core", tenant: Tenant, known: Mapping[str, str], _: datetime
) -> list[Finding]:
    """Find the bills that would be other ones now: once for each reason and difference."""
    bills = Bills.of(core, tenant, tariff_converter(core.plugins.charges()))
    place: AffectedPlace | None = None
    found = list[Finding]()
    while True:
        changed, place = await affected(bills, Filter(), place, _BATCH)
        for bill in changed:
            impact = bill.impact
            assert impact is not None
            data = AffectedBillData(
                bill=bill.id,
                contract=bill.contract,
                start=bill.start,
                end=bill.end,
                reasons=impact.reasons,
                total=impact.total,
                difference=impact.difference,
            )
            cause = f"{','.join(impact.reasons)} {impact.total}"
            found.append(_finding(bill.id, cause, data, known))
        if place is None:
            return found


def _finding(subject: str, cause: str, data: object, known: Mapping[str, str]) -> Finding:
    """Return what is found, which is told unless it was known."""
    return Finding(subject, cause, () if known.get(subject) == cause else (data,))


#: What finds an event that nobody brings about.
FINDERS: Final[Mapping[EventType, Find]] = {
    "gap.opened": find_gaps,
    "price.stale": find_stale_prices,
    "contract.ending": find_ending_contracts,
    "bill.affected": find_affected_bills,
}
