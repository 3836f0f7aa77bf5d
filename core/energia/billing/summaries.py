"""Sites at a glance: what each has used this month, its newest reading, its last bill."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar, Final

import attrs
import numpy as np

from energia.access.callers import Caller
from energia.billing.bills import SQL
from energia.core import Core
from energia.costing.inputs import role_of
from energia.db.tenant import Queries
from energia.metering import query, registry, usage
from energia.metering.models import Channel
from energia.metering.query import Span
from energia.metering.series import MISSING, Series
from energia.metering.stored import newest_of
from energia.metering.usage import Coverage
from energia.spending import hold_slots, spend
from energia.time import Instant, Zone, instant_of
from energia.units import decimal_text
from energia.work import off_loop


@attrs.frozen
class MonthUsage:
    """What the meters at a site have measured as taken from the grid this month.

    Attributes:
        start: The first midnight of the month.
        end: When the newest reading ends.
        value: In kWh, a decimal number.
        coverage: What it rests on, until the newest reading of all.

    """

    start: datetime
    end: datetime
    value: str
    coverage: Coverage


@attrs.frozen
class LastBill:
    """The newest issued bill at a site.

    Attributes:
        id: The bill.
        start: Its first day.
        end: The day after its last one.
        currency: ISO 4217.
        total: What is to be paid.

    """

    __public_name__: ClassVar[str] = "LastBill"

    id: str
    start: date
    end: date
    currency: str
    total: str


@attrs.frozen
class SiteSummary:
    """A site at a glance.

    Attributes:
        site: The id of the site.
        name: Its name.
        timezone: Its zone.
        meters: How many meters there are.
        usage: What was used this month; null without readings of it or `readings:read`, and where
            the meters of the page are too many to be added up.
        newest: When the newest reading of any channel ends; null as above.
        bill: The newest issued bill; null without one, or without `billing`.

    """

    site: str
    name: str
    timezone: str
    meters: int
    usage: MonthUsage | None = None
    newest: datetime | None = None
    bill: LastBill | None = None


@attrs.frozen
class Wanted:
    """Which sites are listed.

    Attributes:
        after: Those whose ids come after this one.
        limit: How many at most.
        name: Those with this in their name or id; None for all.
        site: The one with this id; None for all.

    """

    after: str = ""
    limit: int = 1
    name: str | None = None
    site: str | None = None


async def summaries(
    core: Core, queries: Queries, caller: Caller, wanted: Wanted
) -> list[SiteSummary]:
    """Return the sites that are *wanted*, by id, with what the caller may know of them."""
    found = await queries.fetch(SiteSummary, SQL["summary_sites"], attrs.asdict(wanted))
    ids = {"sites": [one.site for one in found]}
    used: Mapping[str, MonthUsage] = {}
    newest: Mapping[str, datetime] = {}
    billed: Mapping[str, LastBill] = {}
    if caller.may("readings:read"):
        channels = await _channels(queries, ids["sites"])
        newest = await _newest(queries, channels)
        used = await _used(core, queries, [one for one in found if one.site in newest], channels)
    if caller.may("billing"):
        billed = dict(await queries.fetch(_bill, SQL["summary_bills"], ids))
    return [
        attrs.evolve(
            one,
            usage=used.get(one.site),
            newest=_local(newest.get(one.site), one.timezone),
            bill=billed.get(one.site),
        )
        for one in found
    ]


async def _newest(
    queries: Queries, channels: Mapping[str, Sequence[Channel]]
) -> Mapping[str, datetime]:
    """Return when the newest reading ends at each site that has any."""
    each = [(site, channel) for site, several in channels.items() for channel in several]
    found: dict[str, datetime] = {}
    for index, end in (await newest_of(queries, [channel for _, channel in each])).items():
        site = each[index][0]
        found[site] = max(end, found.get(site, end))
    return found


def _local(instant: datetime | None, zone: str) -> datetime | None:
    return None if instant is None else instant.astimezone(Zone.named(zone).tzinfo)


def _bill(site: str, *columns: object) -> tuple[str, LastBill]:
    return site, LastBill(*columns)  # type: ignore[arg-type]


# What was used this month.

#: Of a page no more slots are added up than that: so many take less than a tenth of a second.
_SLOTS: Final = 150_000


async def _used(
    core: Core,
    queries: Queries,
    sites: Sequence[SiteSummary],
    channels: Mapping[str, Sequence[Channel]],
) -> Mapping[str, MonthUsage]:
    """Return what was used at each of some sites, as far as that is not too much to add up."""
    now = instant_of(core.clock.now())
    zones = {one.site: Zone.named(one.timezone) for one in sites}
    months = {site: _month(zone, now) for site, zone in zones.items()}
    spans = _affordable(
        {
            site: [
                Span(each, months[site], max(now, months[site] + 1))
                for each in channels[site]
                if role_of(each) == "import"
            ]
            for site in zones
        }
    )
    asked = [span for several in spans.values() for span in several]
    spend(slots := sum(len(span.slots) for span in asked))
    hold_slots(slots)
    stored = iter(await query.read(queries, asked) if asked else ())
    series = {site: [next(stored).series for _ in several] for site, several in spans.items()}
    return await off_loop(
        lambda: {
            site: total
            for site, each in series.items()
            if (total := _sum(zones[site], months[site], each)) is not None
        }
    )


def _affordable(spans: Mapping[str, list[Span]]) -> dict[str, list[Span]]:
    """Return what is asked for of the sites, one after another, without those that are too much."""
    left, found = _SLOTS, {}
    for site, several in spans.items():
        slots = sum(len(span.slots) for span in several)
        if slots <= left:
            left -= slots
            found[site] = several
    return found


def _month(zone: Zone, now: Instant) -> Instant:
    """Return the first midnight of the month on the clock of a zone."""
    return zone.midnight(zone.datetime(now).date().replace(day=1))


async def _channels(queries: Queries, sites: Sequence[str]) -> dict[str, list[Channel]]:
    """Return the channels at each site."""
    places = dict(await queries.fetch(_place, SQL["summary_meters"], {"sites": list(sites)}))
    of_meters = await registry.channels_of(queries, places) if places else {}
    found: dict[str, list[Channel]] = {site: [] for site in sites}
    for meter, channels in of_meters.items():
        found[places[meter]] += channels
    return found


def _place(meter: str, site: str) -> tuple[str, str]:
    return meter, site


def _sum(zone: Zone, start: Instant, series: Sequence[Series]) -> MonthUsage | None:
    """Return the sum of what there is up to the newest reading; None without any."""
    end = max((_end(each) for each in series), default=start)
    if end <= start:
        return None
    parts = [usage.by_window(each, np.array([start, end], np.int64))[0] for each in series]
    return MonthUsage(
        zone.datetime(start),
        zone.datetime(end),
        decimal_text(sum(part.value for part in parts)),
        usage.together(part.coverage for part in parts),
    )


def _end(series: Series) -> Instant:
    """Return the end of the newest reading."""
    there = np.flatnonzero(series.values != MISSING)
    return series.start + (int(there[-1]) + 1) * series.interval if len(there) else series.start
