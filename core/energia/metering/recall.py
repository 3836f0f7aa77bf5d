"""A meter that is asked for again: its channels, and its days at hand, in one statement.

To read a meter takes two: its channels say which blocks are to be read. What was read before says
it as well: so where days are at hand (`days.py`) that are expected to be asked for, the statement
that gives the channels also says whether they are still what is stored. What it gives of the
channels counts; where they are not those that were expected, the readings are read as ever.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

import attrs

from energia.db.copies import Copies
from energia.db.queries import Literal, Prepared, load
from energia.db.tenant import Tenant
from energia.errors import EnergiaError, NotFound
from energia.metering import registry
from energia.metering.days import Days
from energia.metering.models import Channel
from energia.metering.query import Span, StoredSeries, slots_of
from energia.time import day_of

SQL: Final = load(__package__)
_AGAIN: Final = Prepared(
    SQL["meter_again"],
    channel="bigint",
    first="date",
    last="date",
    versions="xid[]",
    server="timestamptz",
    meter="text",
)
#: What a copy takes, and each channel in it.
_OBJECTS: Final = 500


class Wanted(Protocol):
    """What somebody wants to read of a meter, once its channels are known."""

    @property
    def span(self) -> Span:
        """All of it."""
        ...


W = TypeVar("W", bound=Wanted)


@attrs.frozen
class Declared:
    """What a meter was found to have, of which a copy is kept: to know what to ask, no more.

    Attributes:
        channels: Its channels, as they are declared.
        timezone: The time zone of its site.

    """

    channels: list[Channel]
    timezone: str


@attrs.frozen
class Found(Generic[W]):
    """What is wanted of a meter, and its readings, if all of them are at hand.

    Attributes:
        wanted: What is wanted.
        stored: The readings of its span, as they are stored; None where they are to be read.

    """

    wanted: W
    stored: StoredSeries | None


async def found(tenant: Tenant, meter: str, choose: Callable[[list[Channel], str], W]) -> Found[W]:
    """Return what is wanted of a meter, and its readings where they are at hand.

    Args:
        tenant: The database.
        meter: The id of the meter.
        choose: Says what is wanted, of the channels and in the time zone that it is given; may
            raise. It is called once more where the meter is not what it was.

    Raises:
        NotFound: There is no such meter.
        EnergiaError: What *choose* raises of the channels that there are.

    """
    copies, key = tenant.copies, (Declared, tenant.organization, meter)
    declared = None if copies is None else copies.find(key)
    expected = None if declared is None else _expected(declared, choose)
    days = None if copies is None or expected is None else _at_hand(copies, expected.span)
    if expected is None or days is None:
        channels, timezone = await registry.channels_and_zone(tenant, meter)
        blocks, newest = 0, None
    else:
        channels, timezone, blocks, newest = await _again(tenant, meter, expected.span, days)
    now = Declared(channels, timezone)
    if copies is not None and declared != now:
        copies.keep(key, now, _OBJECTS * (1 + len(channels)))
    if expected is None or declared != now:
        return Found(choose(channels, timezone), None)
    if copies is None or days is None or blocks < len(expected.span.days):
        return Found(expected, None)
    copies.rows["memory"] += blocks
    span = expected.span
    return Found(expected, StoredSeries(slots_of(span, days.part(span.days)), newest))


def _expected(declared: Declared, choose: Callable[[list[Channel], str], W]) -> W | None:
    """Return what will be wanted, if the meter is what it was."""
    try:
        return choose(declared.channels, declared.timezone)
    except EnergiaError:
        return None


def _at_hand(copies: Copies, span: Span) -> Days | None:
    """Return days at hand, among which are all of a span."""
    days = Days.at_hand(copies, span.channel) if span.channel.kind == "interval" else None
    return days if days is not None and days.has_each(span.days) else None


async def _again(
    tenant: Tenant, meter: str, span: Span, days: Days
) -> tuple[list[Channel], str, int, datetime | None]:
    """Return the channels and the time zone of a meter, and how many days are still the same."""
    asked_days = span.days
    versions = days.versions_of(asked_days)
    assert versions is not None
    asked = {
        "meter": meter,
        "channel": span.channel.key,
        "first": day_of(asked_days[0]),
        "last": day_of(asked_days[-1]),
        "versions": Literal(versions),
        "server": days.server,
    }
    rows = await tenant.fetch(_row, _AGAIN, asked)
    if not rows:
        raise NotFound(f"there is no meter {meter!r}")
    _, timezone, blocks, newest = rows[0]
    return [row[0] for row in rows if row[0] is not None], timezone, blocks, newest


def _row(timezone: str, *columns: Any) -> tuple[Channel | None, str, int, datetime | None]:
    *declared, blocks, newest = columns
    return None if declared[0] is None else Channel(*declared), timezone, blocks, newest
