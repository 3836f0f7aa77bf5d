"""What needs somebody's attention: readings, prices, contracts and bills, of all sites at once.

It is worked out when it is asked for, so that what was mended is gone at once. Of all sites
together it asks little of each, so that a thousand meters take no longer than a page may.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Final, Literal

import attrs

from energia.access.callers import Caller
from energia.billing.affected import touched_bills
from energia.billing.bills import SQL
from energia.core import Core
from energia.db.tenant import Columns, Queries
from energia.pricing.market.keeper import GRACE
from energia.pricing.market.store import is_stale
from energia.time import DAY, Zone, instant_of

#: What needs attention, in the order in which it is listed.
ConcernKind = Literal[
    "readings.silent", "readings.gap", "price.stale", "bill.affected", "contract.ending"
]
#: So far back it is looked for missing readings.
DAYS: Final = 31
#: So many issued bills of each contract are looked at where all sites are, and where some are.
_OF_ALL: Final = 1
_OF_SOME: Final = 24


@attrs.frozen(kw_only=True)
class Concern:
    """Something that needs attention.

    Attributes:
        kind: `readings.silent`: a channel has got no readings for `webhooks.gap_after`;
            `readings.gap`: some of the last 31 days are missing; `price.stale`: a feed has not
            given what it should; `bill.affected`: readings or prices of the period of an issued
            bill have changed since; `contract.ending`: within `webhooks.contract_days`, and no
            other one follows.
        site: The site; null for prices.
        meter: The meter.
        channel: The channel.
        contract: The contract.
        bill: The bill.
        series: The price series.
        start: When the first slot starts without a reading; of a silent channel null if it never
            had any. When a price was expected.
        end: When the last slot ends without a reading.
        slots: How many slots are missing.
        day: The day after the last one of a contract; the first day of a bill.
        detail: What else is known: the error of a feed.

    """

    __public_name__: ClassVar[str] = "SiteConcern"

    kind: ConcernKind
    site: str | None = None
    meter: str | None = None
    channel: str | None = None
    contract: str | None = None
    bill: str | None = None
    series: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    slots: int | None = None
    day: date | None = None
    detail: str | None = None


async def concerns(
    core: Core, queries: Queries, caller: Caller, sites: Sequence[str] | None = None
) -> list[Concern]:
    """Return what needs attention at some *sites*, or at all, that the caller may know."""
    found: list[Concern] = []
    if caller.may("readings:read"):
        found += await _of_readings(core, queries, sites)
    if sites is None:
        found += await _of_prices(core, queries)
    if caller.may("billing"):
        found += await _of_bills(queries, sites)
        found += await _of_contracts(core, queries, sites)
    return found


# Readings that are missing.


@attrs.frozen
class _Channel:
    """A channel of slots, in the order of the columns of `concern_channels`."""

    key: int
    site: str
    meter: str
    channel: str
    interval: int
    offset: int
    timezone: str
    is_charged: bool


@attrs.frozen
class _Newest(_Channel):
    """What is known of a channel's readings, after it in the order of `concern_blocks`."""

    day: int | None = None
    slot: int | None = None
    first: int | None = None
    days: list[int] | None = None
    holed: list[int] | None = None

    @property
    def end(self) -> int | None:
        """When the newest reading ends; None where there is none."""
        if self.day is None:
            return None
        return self.day * DAY + self.offset + (self.slot or 0) * self.interval

    def moment(self, instant: int) -> datetime:
        """Return an instant as it is on the clock of the site."""
        return Zone.named(self.timezone).datetime(instant)

    def at(self, day: int, slot: int) -> int:
        """Return when a slot starts, which is counted from 0."""
        return day * DAY + self.offset + slot * self.interval

    def lacking(self) -> Iterator["_Hole"]:
        """Yield the whole days between others of which nothing is stored."""
        if self.days is None or self.first is None or self.day is None:
            return
        width = DAY // self.interval
        for day in sorted(set(range(self.first, self.day)) - set(self.days)):
            yield _Hole(day, 1, width, width)


@attrs.frozen
class _Hole:
    """Slots of a day for which nothing was ever sent: the first and the last, counted from 1."""

    day: int
    first: int
    last: int
    slots: int


async def _of_readings(core: Core, queries: Queries, sites: Sequence[str] | None) -> list[Concern]:
    now = core.clock.now()
    first = now.date() - timedelta(days=DAYS)
    row = {"sites": _listed(sites), "today": now.date()}
    channels = await queries.fetch(_Channel, SQL["concern_channels"], row)
    newest = await _newest(queries, channels, first)
    late = instant_of(now) - int(core.settings.webhooks.gap_after)
    oldest = instant_of(now) - DAYS * DAY
    silent = [_silent(each) for each in newest if _is_silent(each, late, oldest)]
    return silent + await _gaps(queries, newest)


async def _newest(queries: Queries, channels: Sequence[_Channel], first: date) -> list[_Newest]:
    """Return what is known of the readings of some channels since a day."""
    if not channels:
        return []
    columns = {"channels": [each.key for each in channels]}
    found = dict(
        await queries.fetch_by_channel(_known, SQL["concern_blocks"], columns, {"first": first})
    )
    return [
        _Newest(*attrs.astuple(each), *found.get(number, ()))
        for number, each in enumerate(channels, 1)
    ]


def _known(number: int, *known: object) -> tuple[int, tuple[Any, ...]]:
    return number, known


def _is_silent(newest: _Newest, late: int, oldest: int) -> bool:
    """Tell whether a channel has got no readings for long.

    One that nobody is billed by is forgotten after a while: it may have been exchanged.
    """
    if newest.end is None:
        return newest.is_charged
    return newest.end <= late and (newest.is_charged or newest.end > oldest)


def _silent(newest: _Newest) -> Concern:
    since = None if newest.end is None else newest.moment(newest.end)
    return Concern(
        kind="readings.silent",
        site=newest.site,
        meter=newest.meter,
        channel=newest.channel,
        start=since,
    )


async def _gaps(queries: Queries, rows: Sequence[_Newest]) -> list[Concern]:
    """Return what is missing before the newest reading of each channel, as one concern each."""
    inside: dict[int, list[_Hole]] = {}
    asked = [(each, day) for each in rows for day in each.holed or ()]
    for index, hole in await _holes(queries, asked):
        inside.setdefault(asked[index][0].key, []).append(hole)
    found = []
    for each in rows:
        if holes := [*each.lacking(), *inside.get(each.key, ())]:
            found.append(_gap(each, holes))
    return found


async def _holes(queries: Queries, asked: Sequence[tuple[_Newest, int]]) -> list[tuple[int, _Hole]]:
    """Return the slots without a reading of some days, each by its index."""
    if not asked:
        return []
    row: Columns = {
        "channels": [each.key for each, _ in asked],
        "days": [day for _, day in asked],
        "lasts": [each.slot if day == each.day else DAY for each, day in asked],
        "firsts": [day == each.first for each, day in asked],
    }
    return await queries.fetch_by_channel(_hole, SQL["concern_slots"], row)


def _hole(index: int, day: int, first: int, last: int, slots: int) -> tuple[int, _Hole]:
    return index, _Hole(day, first, last, slots)


def _gap(newest: _Newest, holes: Sequence[_Hole]) -> Concern:
    first = min(newest.at(hole.day, hole.first - 1) for hole in holes)
    last = max(newest.at(hole.day, hole.last) for hole in holes)
    return Concern(
        kind="readings.gap",
        site=newest.site,
        meter=newest.meter,
        channel=newest.channel,
        start=newest.moment(first),
        end=newest.moment(last),
        slots=sum(hole.slots for hole in holes),
    )


# Prices, contracts and bills.


async def _of_prices(core: Core, queries: Queries) -> list[Concern]:
    late = core.clock.now() - timedelta(seconds=GRACE)
    feeds = await queries.fetch(_feed, SQL["concern_feeds"])
    return [
        Concern(kind="price.stale", series=series, start=expected, detail=error)
        for series, expected, error in feeds
        if is_stale(expected, error, late)
    ]


def _feed(
    series: str, expected: datetime | None, error: str | None
) -> tuple[str, datetime | None, str | None]:
    return series, expected, error


async def _of_contracts(core: Core, queries: Queries, sites: Sequence[str] | None) -> list[Concern]:
    days = core.settings.webhooks.contract_days
    row = {"sites": _listed(sites), "now": core.clock.now(), "days": days}
    return await queries.fetch(_ending, SQL["concern_contracts"], row)


def _ending(site: str, meter: str, contract: str, end: date) -> Concern:
    return Concern(kind="contract.ending", site=site, meter=meter, contract=contract, day=end)


async def _of_bills(queries: Queries, sites: Sequence[str] | None) -> list[Concern]:
    row = {"sites": _listed(sites), "depth": _OF_ALL if sites is None else _OF_SOME}
    bills = await queries.fetch(_Bill, SQL["concern_bills"], row)
    if not bills:
        return []
    ids = [bill.id for bill in bills]
    touched = await touched_bills(queries, bills)
    touched |= set(await queries.fetch(str, SQL["bill_repriced"], ids))
    return [bill.concern for bill in bills if bill.id in touched]


@attrs.frozen
class _Bill:
    """A bill in the order of the columns of `concern_bills`."""

    site: str
    meter: str
    contract: str
    id: str
    start: date
    end: date
    channels: list[int]
    revisions: list[datetime | None]

    @property
    def concern(self) -> Concern:
        """Why it is looked at: readings or prices have changed since."""
        return Concern(
            kind="bill.affected",
            site=self.site,
            meter=self.meter,
            contract=self.contract,
            bill=self.id,
            day=self.start,
        )


def _listed(sites: Sequence[str] | None) -> list[str] | None:
    return None if sites is None else list(sites)
