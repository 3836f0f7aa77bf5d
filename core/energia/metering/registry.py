"""Sites, meters and channels in the database.

What refers to something keeps it: a site with meters, a meter with contracts and a channel with
readings cannot go, nor can a channel get another meaning once it has readings. Whoever changes a
meter holds its channels (`channels_lock`), so that no reading comes in between.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import starmap
from typing import Any, Final

import attrs

from energia.db.queries import Prepared, load
from energia.db.tenant import Queries, Tenant
from energia.errors import Conflict, ForeignKeyViolation, InUse, Invalid, NotFound
from energia.ids import new_id
from energia.metering.models import (
    BY_DAYS,
    Channel,
    Meter,
    NewChannel,
    NewMeter,
    NewSite,
    Site,
    declaration,
    refuse_unfit,
    standard_offset,
)
from energia.time import length_of

SQL: Final = load(__package__)
#: What nearly every request about a meter begins with: to plan it takes longer than to do it.
_WITH_CHANNELS: Final = Prepared(SQL["meter_with_channels"], "text")
_CHANNELS: Final = Prepared(SQL["meter_channels"], "text")


@attrs.frozen
class _MeterRow:
    """A meter without its channels."""

    id: str
    site: str
    name: str | None
    serial: str | None


async def site(queries: Queries, id_: str) -> Site:
    """Return a site; raises `NotFound`."""
    sites = await queries.fetch(Site, SQL["site_get"], id_)
    if not sites:
        raise NotFound(f"there is no site {id_!r}")
    return sites[0]


async def sites(queries: Queries, after: str, limit: int) -> list[Site]:
    """Return at most *limit* sites with ids after *after*, sorted."""
    return await queries.fetch(Site, SQL["site_list"], after, limit)


async def add_site(queries: Queries, new: NewSite) -> tuple[Site, bool]:
    """Make a site, and tell whether it was made: the same one may be there already.

    Raises `Invalid`, or `Conflict` if there is another one with its id.
    """
    refuse_unfit(new)
    made = _site(new, new.id or new_id())
    if await queries.execute(SQL["site_add"], *_site_row(made)):
        return made, True
    if made not in await queries.fetch(Site, SQL["site_get"], made.id):
        raise Conflict(f"there is another site {made.id!r} already")
    return made, False


async def put_site(queries: Queries, id_: str, new: NewSite) -> tuple[Site, bool]:
    """Make a site or replace it, and tell whether it was made; raises `Invalid`."""
    _same_id(id_, new.id)
    refuse_unfit(new)
    site = _site(new, id_)
    created = await queries.fetch(bool, SQL["site_put"], *_site_row(site))
    return site, created[0]


async def delete_site(queries: Queries, id_: str) -> None:
    """Delete a site; raises `NotFound`, or `InUse` if it has meters."""
    try:
        deleted = await queries.execute(SQL["site_delete"], id_)
    except ForeignKeyViolation:
        raise InUse(f"the site {id_!r} has meters") from None
    if not deleted:
        raise NotFound(f"there is no site {id_!r}")


async def meter(queries: Queries, id_: str) -> Meter:
    """Return a meter with its channels; raises `NotFound`."""
    rows = await queries.fetch(_meter, _WITH_CHANNELS, id_)
    if not rows:
        raise NotFound(f"there is no meter {id_!r}")
    return rows[0]


def _meter(
    id_: str, site: str, name: str | None, serial: str | None, channels: list[list[Any]] | None
) -> Meter:
    return Meter(id_, site, tuple(starmap(declaration, channels or ())), name, serial)


async def meters(
    queries: Queries, after: str, limit: int, site: str | None = None, search: str | None = None
) -> list[Meter]:
    """Return at most *limit* meters with ids after *after*, sorted.

    Those of a *site* alone, and those whose id, name or serial number has the text *search* in it.
    """
    given = {"after": after, "limit": limit, "site": site, "search": search}
    return await _meters(queries, await queries.fetch(_MeterRow, SQL["meter_list"], given))


async def channels(queries: Queries, meter: str) -> list[Channel]:
    """Return the channels of a meter as declared; raises `NotFound` if there is no meter."""
    declared = await queries.fetch(Channel, SQL["channels_of"], {"meters": [meter]})
    if not declared:
        await _row(queries, meter)
    return declared


async def channels_and_zone(queries: Queries, meter: str) -> tuple[list[Channel], str]:
    """Return the channels of a meter, and the time zone of its site; raises `NotFound`."""
    rows = await queries.fetch(_with_zone, _CHANNELS, meter)
    if not rows:
        raise NotFound(f"there is no meter {meter!r}")
    return [channel for _, channel in rows if channel is not None], rows[0][0]


def _with_zone(timezone: str, *columns: Any) -> tuple[str, Channel | None]:
    return timezone, None if columns[0] is None else Channel(*columns)


async def channels_of(queries: Queries, meters: Collection[str]) -> dict[str, list[Channel]]:
    """Return the channels of each of some meters as declared; none where there is no such meter."""
    by_meter: dict[str, list[Channel]] = {meter: [] for meter in meters}
    for channel in await queries.fetch(Channel, SQL["channels_of"], {"meters": list(by_meter)}):
        by_meter[channel.meter].append(channel)
    return by_meter


async def zones_of(
    queries: Queries, *, site: str | None = None, meters: Sequence[str] | None = None
) -> list[tuple[str, str]]:
    """Return the meters at a *site*, or those of some *meters* that there are, with their zones."""
    given = {"site": site, "meters": None if meters is None else list(meters)}
    return await queries.fetch(_zoned, SQL["meter_zones"], given)


def _zoned(id_: str, timezone: str) -> tuple[str, str]:
    return id_, timezone


async def zone_of(queries: Queries, meter: str) -> str:
    """Return the time zone of a meter's site; raises `NotFound` if there is no meter."""
    return (await site(queries, (await _row(queries, meter)).site)).timezone


async def add_meter(tenant: Tenant, new: NewMeter, now: datetime) -> tuple[Meter, bool]:
    """Make a meter, and tell whether it was made: the same one may be there already.

    Raises `Invalid`, or `Conflict` if there is another one with its id.
    """
    refuse_unfit(new)
    id_ = new.id or new_id()
    async with tenant.transaction() as queries:
        zone = await _zone(queries, new.site)
        with _of_site(new.site):
            added = await queries.execute(SQL["meter_add"], id_, new.site, new.name, new.serial)
        old = {} if added else {each.id: each for each in await channels(queries, id_)}
        wanted = _channels(id_, new, old, zone, now)
        if added:
            await _put_channels(queries, id_, wanted)
        stored = await meter(queries, id_)
        declared = tuple(channel.declaration() for channel in wanted)
        if stored != Meter(id_, new.site, declared, new.name, new.serial):
            raise Conflict(f"there is another meter {id_!r} already")
        return stored, bool(added)


async def put_meter(tenant: Tenant, id_: str, new: NewMeter, now: datetime) -> tuple[Meter, bool]:
    """Make a meter or replace it, as `write_meter`, in a transaction of its own."""
    async with tenant.transaction() as queries:
        return await write_meter(queries, id_, new, now)


async def write_meter(
    queries: Queries, id_: str, new: NewMeter, now: datetime
) -> tuple[Meter, bool]:
    """Make a meter or replace it, and tell whether it was made; channels are the same by id.

    *queries* are those of one transaction.

    Raises:
        Invalid: It does not fit; there is no such site.
        InUse: A channel with readings would go, or get another grid, quantity or direction.

    """
    _same_id(id_, new.id)
    refuse_unfit(new)
    zone = await _zone(queries, new.site)
    row = (id_, new.site, new.name, new.serial)
    with _of_site(new.site):
        (created,) = await queries.fetch(bool, SQL["meter_put"], *row)
    locked = await hold_channels(queries, [id_])
    old = {channel.id: channel for channel in locked}
    wanted = {channel.id: channel for channel in _channels(id_, new, old, zone, now)}
    gone = [channel for channel in locked if channel.id not in wanted]
    changed = [
        channel
        for channel in locked
        if channel.id in wanted and _differ(channel, wanted[channel.id])
    ]
    if used := await _with_readings(queries, gone + changed):
        message = (
            f"there are readings of {used}: such a channel stays, and so do its interval, offset, "
            "kind, quantity and direction; what is measured otherwise is another channel"
        )
        raise InUse.of(InUse.code, message, "/channels")
    await queries.execute(SQL["channel_delete"], [channel.key for channel in gone])
    await _put_channels(queries, id_, wanted.values())
    return await meter(queries, id_), created


async def delete_meter(tenant: Tenant, id_: str) -> None:
    """Delete a meter; raises `NotFound`, or `InUse` if it has readings or a contract.

    Locks are taken in one order: the meter, then its channels by their keys. Who writes readings
    takes those of all its meters at once.
    """
    async with tenant.transaction() as queries:
        await queries.fetch(str, SQL["meter_hold"], id_)
        old = await hold_channels(queries, [id_])
        if used := await _with_readings(queries, old):
            raise InUse(f"there are readings of {used}")
        try:
            deleted = await queries.execute(SQL["meter_delete"], id_)
        except ForeignKeyViolation:
            raise InUse(f"the meter {id_!r} has contracts") from None
        if not deleted:
            raise NotFound(f"there is no meter {id_!r}")


async def hold_meter(queries: Queries, id_: str) -> None:
    """Hold a meter against whoever would change it or its contracts; raises `NotFound`."""
    if not await queries.fetch(str, SQL["meter_hold"], id_):
        raise NotFound(f"there is no meter {id_!r}")


async def empty_meter(queries: Queries, id_: str, *, keep: bool) -> None:
    """Delete a meter that has neither readings nor contracts; or *keep* it, without its names."""
    await queries.execute(SQL["meter_empty" if keep else "meter_delete"], id_)


async def _row(queries: Queries, id_: str) -> _MeterRow:
    rows = await queries.fetch(_MeterRow, SQL["meter_get"], [id_])
    if not rows:
        raise NotFound(f"there is no meter {id_!r}")
    return rows[0]


async def _meters(queries: Queries, rows: Sequence[_MeterRow]) -> list[Meter]:
    ids = [row.id for row in rows]
    declared: dict[str, list[NewChannel]] = {id_: [] for id_ in ids}
    for channel in await queries.fetch(Channel, SQL["channels_of"], {"meters": ids}):
        declared[channel.meter].append(channel.declaration())
    return [Meter(row.id, row.site, tuple(declared[row.id]), row.name, row.serial) for row in rows]


async def _zone(queries: Queries, site_id: str) -> str:
    with _of_site(site_id):
        return (await site(queries, site_id)).timezone


@contextmanager
def _of_site(site_id: str) -> Iterator[None]:
    """Refuse a site that there is not, or no longer, while something is stored of it."""
    try:
        yield
    except (NotFound, ForeignKeyViolation):
        raise Invalid.of("unknown_site", f"there is no site {site_id!r}", "/site") from None


async def hold_channels(queries: Queries, meters: Sequence[str]) -> list[Channel]:
    """Return the channels of some meters, held for a change: nobody writes their readings."""
    held = await queries.fetch(Channel, SQL["channels_lock"], list(meters))
    await hold_on_nodes(queries, [channel.key for channel in held])
    return held


async def hold_on_nodes(queries: Queries, keys: Sequence[int]) -> None:
    """Hold channels that are held by their rows where their readings are, too, in a cluster.

    A transaction over several nodes is committed where the rows of channels are, and on the other
    nodes a moment later, or once a node is back. What is held on the node of the readings as well
    is held until then: so whoever writes a channel next sees what was written before.
    """
    if queries.shards and keys:
        await queries.fetch_by_channel(int, SQL["channels_hold_on_node"], {"channels": keys})


async def _with_readings(queries: Queries, channels: Iterable[Channel]) -> str:
    """Return the names of those *channels* that have readings, with commas between them."""
    names = {channel.key: channel.id for channel in channels}
    if not names:
        return ""
    used = await queries.fetch_by_channel(
        int, SQL["channels_with_readings"], {"channels": list(names)}
    )
    return ", ".join(sorted(names[key] for key in used))


async def _put_channels(queries: Queries, meter_id: str, wanted: Iterable[Channel]) -> None:
    for position, channel in enumerate(wanted):
        await queries.execute(
            SQL["channel_put"],
            meter_id,
            channel.id,
            position,
            channel.quantity,
            channel.direction,
            channel.unit,
            channel.interval,
            channel.offset,
            channel.kind,
            channel.digits,
            channel.multiplier,
            channel.max_power,
            channel.by_days,
        )


def _channels(
    meter_id: str, new: NewMeter, old: dict[str, Channel], zone: str, now: datetime
) -> list[Channel]:
    """Return the channels that a meter is to have; a channel that it has already keeps its key."""
    channels = []
    for declared in new.channels:
        by_days = declared.interval is None
        interval = BY_DAYS if declared.interval is None else length_of(declared.interval)
        before = old.get(declared.id)
        if by_days:
            offset = 0
        elif declared.offset is not None:
            offset = length_of(declared.offset)
        elif before is not None and before.interval == interval:
            # A default that was chosen stays, even if the site has moved to another zone.
            offset = before.offset
        else:
            offset = standard_offset(zone, interval, now)
        key = 0 if before is None else before.key
        grid = (declared.quantity, declared.direction, declared.unit, interval, offset)
        register = (declared.kind, declared.digits, declared.multiplier, declared.max_power)
        channels.append(Channel(key, meter_id, declared.id, *grid, *register, by_days))
    return channels


def _differ(old: Channel, new: Channel) -> bool:
    """Whether readings of *old* would mean something else as readings of *new*."""
    return _meaning(old) != _meaning(new)


def _meaning(channel: Channel) -> tuple[object, ...]:
    """Return what the readings of a channel rest on; reads of a register are kept in its unit."""
    grid = channel.interval, channel.offset, channel.by_days
    is_register = channel.kind == "register"
    register = (channel.unit, channel.multiplier or 1) if is_register else ()
    return (*grid, channel.kind, channel.quantity, channel.direction, *register)


def _same_id(path: str, body: str | None) -> None:
    if body not in (None, path):
        message = f"the path says {path!r}"
        raise Invalid.of("wrong_id", message, "/id")


def _site(new: NewSite, id_: str) -> Site:
    return Site(id_, new.name, new.timezone, new.country, new.currency, new.subdivision)


def _site_row(site: Site) -> tuple[str | None, ...]:
    return (site.id, site.name, site.timezone, site.country, site.currency, site.subdivision)
