"""Sites and meters in the database."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

import attrs

from energia.db.queries import load
from energia.db.tenant import Queries, Tenant
from energia.errors import Conflict, Fault, ForeignKeyViolation, InUse, Invalid, NotFound
from energia.metering import durations
from energia.metering.imports import new_id
from energia.metering.models import (
    Channel,
    Meter,
    NewChannel,
    NewMeter,
    NewSite,
    Site,
    checked,
    standard_offset,
)

SQL: Final = load(__package__)


@attrs.frozen
class _Head:
    """A meter without its channels."""

    id: str
    site: str
    name: str | None
    serial: str | None


async def site(queries: Queries, id_: str) -> Site:
    """Return a site; raises `NotFound`."""
    found = await queries.fetch(Site, SQL["site_get"], id_)
    if not found:
        raise NotFound(f"there is no site {id_!r}")
    return found[0]


async def sites(queries: Queries, after: str, limit: int) -> list[Site]:
    """Return at most *limit* sites with ids after *after*, sorted."""
    return await queries.fetch(Site, SQL["site_list"], after, limit)


async def add_site(queries: Queries, new: NewSite) -> Site:
    """Make a site; raises `Invalid`, or `Conflict` if there is one with its id."""
    checked(new)
    made = _site(new, new.id or new_id())
    if not await queries.execute(SQL["site_add"], *_site_row(made)):
        raise Conflict(f"there is a site {made.id!r} already")
    return made


async def put_site(queries: Queries, id_: str, new: NewSite) -> tuple[Site, bool]:
    """Make a site or replace it, and tell whether it was made; raises `Invalid`."""
    _same_id(id_, new.id)
    checked(new)
    made = _site(new, id_)
    created = await queries.fetch(bool, SQL["site_put"], *_site_row(made))
    return made, created[0]


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
    return (await _meters(queries, await _heads(queries, id_)))[0]


async def meters(queries: Queries, after: str, limit: int) -> list[Meter]:
    """Return at most *limit* meters with ids after *after*, sorted."""
    return await _meters(queries, await queries.fetch(_Head, SQL["meter_list"], after, limit))


async def channels(queries: Queries, meter: str) -> list[Channel]:
    """Return the channels of a meter as declared; raises `NotFound` if there is no meter."""
    found = await queries.fetch(Channel, SQL["channels_of"], [meter])
    if not found:
        await _heads(queries, meter)
    return found


async def channels_of(queries: Queries, meters: Collection[str]) -> dict[str, list[Channel]]:
    """Return the channels of each of some meters as declared; none where there is no such meter."""
    by_meter: dict[str, list[Channel]] = {meter: [] for meter in meters}
    for channel in await queries.fetch(Channel, SQL["channels_of"], list(by_meter)):
        by_meter[channel.meter].append(channel)
    return by_meter


async def zone_of(queries: Queries, meter: str) -> str:
    """Return the time zone of a meter's site; raises `NotFound` if there is no meter."""
    return (await site(queries, (await _heads(queries, meter))[0].site)).timezone


async def add_meter(tenant: Tenant, new: NewMeter, now: datetime) -> Meter:
    """Make a meter; raises `Invalid`, or `Conflict` if there is one with its id."""
    checked(new)
    id_ = new.id or new_id()
    async with tenant.transaction() as queries:
        zone = await _zone(queries, new.site)
        if not await queries.execute(SQL["meter_add"], id_, new.site, new.name, new.serial):
            raise Conflict(f"there is a meter {id_!r} already")
        await _put_channels(queries, id_, _channels(id_, new, {}, zone, now))
        return await meter(queries, id_)


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
    checked(new)
    zone = await _zone(queries, new.site)
    row = (id_, new.site, new.name, new.serial)
    created = (await queries.fetch(bool, SQL["meter_put"], *row))[0]
    old = {c.id: c for c in await queries.fetch(Channel, SQL["channels_lock"], [id_])}
    wanted = {c.id: c for c in _channels(id_, new, old, zone, now)}
    gone = [c for c in old.values() if c.id not in wanted]
    changed = [c for c in old.values() if c.id in wanted and _differ(c, wanted[c.id])]
    await _refuse_with_readings(queries, gone + changed)
    await queries.execute(SQL["channel_delete"], [c.key for c in gone])
    await _put_channels(queries, id_, wanted.values())
    return await meter(queries, id_), created


async def delete_meter(tenant: Tenant, id_: str) -> None:
    """Delete a meter; raises `NotFound`, or `InUse` if it has readings or a contract."""
    async with tenant.transaction() as queries:
        old = await queries.fetch(Channel, SQL["channels_lock"], [id_])
        await _refuse_with_readings(queries, old)
        try:
            deleted = await queries.execute(SQL["meter_delete"], id_)
        except ForeignKeyViolation:
            raise InUse(f"the meter {id_!r} has contracts") from None
        if not deleted:
            raise NotFound(f"there is no meter {id_!r}")


async def _heads(queries: Queries, id_: str) -> list[_Head]:
    found = await queries.fetch(_Head, SQL["meter_get"], [id_])
    if not found:
        raise NotFound(f"there is no meter {id_!r}")
    return found


async def _meters(queries: Queries, heads: Sequence[_Head]) -> list[Meter]:
    ids = [head.id for head in heads]
    declared: dict[str, list[NewChannel]] = {id_: [] for id_ in ids}
    for channel in await queries.fetch(Channel, SQL["channels_of"], ids):
        declared[channel.meter].append(channel.shown())
    return [Meter(h.id, h.site, tuple(declared[h.id]), h.name, h.serial) for h in heads]


async def _zone(queries: Queries, site_id: str) -> str:
    try:
        return (await site(queries, site_id)).timezone
    except NotFound as error:
        raise Invalid(error.detail, [Fault("unknown_site", error.detail, "/site")]) from None


async def _refuse_with_readings(queries: Queries, channels: Iterable[Channel]) -> None:
    names = {channel.key: channel.id for channel in channels}
    if not names:
        return
    used = await queries.fetch(int, SQL["channels_with_readings"], list(names))
    if used:
        named = ", ".join(sorted(names[key] for key in used))
        raise InUse(f"there are readings of {named}")


async def _put_channels(queries: Queries, meter_id: str, wanted: Iterable[Channel]) -> None:
    for position, c in enumerate(wanted):
        await queries.execute(
            SQL["channel_put"],
            meter_id,
            c.id,
            position,
            c.quantity,
            c.direction,
            c.unit,
            c.interval,
            c.offset,
            c.kind,
            c.digits,
            c.multiplier,
            c.max_power,
        )


def _channels(
    meter_id: str, new: NewMeter, old: dict[str, Channel], zone: str, now: datetime
) -> list[Channel]:
    found = []
    for c in new.channels:
        interval = durations.seconds(c.interval)
        if c.offset is not None:
            offset = durations.seconds(c.offset)
        elif c.id in old and old[c.id].interval == interval:
            # A default that was chosen stays, even if the site has moved to another zone.
            offset = old[c.id].offset
        else:
            offset = standard_offset(zone, interval, now)
        key = old[c.id].key if c.id in old else 0
        grid = (c.quantity, c.direction, c.unit, interval, offset)
        register = (c.kind, c.digits, c.multiplier, c.max_power)
        found.append(Channel(key, meter_id, c.id, *grid, *register))
    return found


def _differ(old: Channel, new: Channel) -> bool:
    """Whether readings of *old* would mean something else as readings of *new*."""
    return (old.interval, old.offset, old.quantity, old.direction) != (
        new.interval,
        new.offset,
        new.quantity,
        new.direction,
    )


def _same_id(path: str, body: str | None) -> None:
    if body not in (None, path):
        message = f"the path says {path!r}"
        raise Invalid(message, [Fault("wrong_id", message, "/id")])


def _site(new: NewSite, id_: str) -> Site:
    return Site(id_, new.name, new.timezone, new.country, new.currency, new.subdivision)


def _site_row(made: Site) -> tuple[str | None, ...]:
    return (made.id, made.name, made.timezone, made.country, made.currency, made.subdivision)
