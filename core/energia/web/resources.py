"""What endpoints share: ids in paths, windows in queries, pages of lists, examples of bodies."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, TypeVar
from zlib import crc32

import attrs
from msgspec import Meta

from energia.access.callers import Scope
from energia.convert import Id
from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import AmbiguousChannel, Invalid, NotFound
from energia.metering import query, recall, registry
from energia.metering.models import Channel
from energia.metering.query import Span, StoredSeries
from energia.spending import spend
from energia.time import Instant, Zone, instant_of, utc_text

if TYPE_CHECKING:
    from energia.billing.superseded import Correction

# Who may use what: the scopes of which a caller needs one.

READERS: Final[tuple[Scope, ...]] = ("readings:read",)
WRITERS: Final[tuple[Scope, ...]] = ("readings:write",)
DELETERS: Final[tuple[Scope, ...]] = ("readings:delete",)
#: Tariffs and what usage costs under them: no secret to who reads usage, nor to who bills it.
PRICERS: Final[tuple[Scope, ...]] = ("readings:read", "tariffs:write", "billing")
TARIFF_WRITERS: Final[tuple[Scope, ...]] = ("tariffs:write",)
BILLERS: Final[tuple[Scope, ...]] = ("billing",)
ADMINS: Final[tuple[Scope, ...]] = ("admin",)


# Ids in paths.

SiteId = Annotated[Id, Meta(description="The id of the site.", examples=["casa"])]
MeterId = Annotated[Id, Meta(description="The id of the meter.", examples=["UC-123"])]
ChannelId = Annotated[
    Id, Meta(description="The id of the channel; without one, the meter's only one.")
]
TariffId = Annotated[Id, Meta(description="The id of the tariff.", examples=["branca"])]
HolidayListId = Annotated[
    Id, Meta(description="The id of the list of holidays.", examples=["br-national"])
]
CsvMappingId = Annotated[Id, Meta(description="The id of the mapping.", examples=["be-fluvius"])]
ImportId = Annotated[
    Id,
    Meta(description="The `id` of an answer to readings or to a file.", examples=["imp_1"]),
]
ContractId = Annotated[Id, Meta(description="The id of the contract.", examples=["casa-2026"])]
BillId = Annotated[Id, Meta(description="The id of the bill.", examples=["casa-2026-03-02"])]
PriceSeriesId = Annotated[Id, Meta(description="The id of the price series.", examples=["spot-es"])]


# Lists, page by page.

T = TypeVar("T")

#: How many things a page has.
Limit = Annotated[int, Meta(ge=1, le=1000, description="How many to return at most.")]
_NOT_OURS = "this is not the `next` of a page of this list"
_NEXT = "The `next` of the page before."


def cursor_of(place: str) -> str:
    """Return the cursor that stands for a place in a list: nobody but us can make one up."""
    text = place.encode()
    return urlsafe_b64encode(crc32(text).to_bytes(4, "big") + text).decode().rstrip("=")


def place_of(cursor: str) -> str:
    """Return the place that a cursor stands for; the beginning for none."""
    padding = "=" * (-len(cursor) % 4)
    return urlsafe_b64decode(cursor + padding)[4:].decode()


def number_of(cursor: str) -> int:
    """Return the place in a list that is counted; raises `Invalid` for the cursor of another."""
    place = place_of(cursor) or "0"
    if not (place.isdecimal() and place.isascii()):
        raise Invalid.of("wrong_cursor", _NOT_OURS, "/query/cursor")
    return int(place)


def _is_ours(cursor: str) -> None:
    try:
        if not cursor or cursor_of(place_of(cursor)) == cursor:
            return
    except ValueError:
        pass
    raise Unfit("wrong_cursor", _NOT_OURS)


#: Where a page of a list begins; `place_of` tells the place.
Cursor = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9_-]{0,200}$",
        extra={"words": "the `next` of a page of this list"},
        description=_NEXT,
    ),
    Check(_is_ours),
]


@attrs.frozen
class Page(Generic[T]):
    """Some of a list.

    Attributes:
        items: At most `limit` of them.
        next: The `cursor` of the next page, or null if this is the last.

    """

    items: tuple[T, ...]
    next: str | None


def page(things: Sequence[T], limit: int, place: Callable[[T], str]) -> Page[T]:
    """Return a page of *things*; one more than *limit* of them shows that there is another page."""
    more = len(things) > limit
    return Page(tuple(things[:limit]), cursor_of(place(things[limit - 1])) if more else None)


# Corrections of what issued bills are by.

CorrectionReason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        pattern=r"\S",
        extra={"words": "a text that is not blank"},
        description="Why it was wrong: then it may be another one for bills that are issued, which "
        "keep what they are by.",
        examples=["the standing charge was that of 2025"],
    ),
]


def correction_of(core: Core, reason: str | None) -> "Correction | None":
    """Return the correction that is made now, if a *reason* is given."""
    from energia.billing.superseded import Correction  # who corrects has all that bills need

    return None if reason is None else Correction(reason, core.clock.now())


# Parts of time in queries, on the local time of a meter's site.

_DESCRIPTION = "An instant with its offset, or a date: midnight in the site's zone."
#: The start of a window: an instant, or a date: its midnight in the zone of the site.
Start = Annotated[datetime | date, Meta(description=_DESCRIPTION, examples=["2026-03-02"])]
#: The end of a window, which is not in it.
End = Annotated[datetime | date, Meta(description=_DESCRIPTION, examples=["2026-03-03"])]
KnownAt = Annotated[datetime, Meta(description="What was known at this instant; now without.")]


@attrs.frozen
class ChannelWindow:
    """A channel of a meter, and a window of time, as a query names them.

    Attributes:
        channel: The channel.
        zone: The zone of its site.
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.
        at_hand: Its readings as they are stored, where the process has them and has asked.

    """

    channel: Channel
    zone: Zone
    start: Instant
    end: Instant
    at_hand: StoredSeries | None = None

    @property
    def slots(self) -> int:
        """How many slots of the channel it has room for."""
        return (self.end - self.start) // self.channel.interval

    @cached_property
    def span(self) -> Span:
        """All of it."""
        return Span(self.channel, self.start, self.end)

    async def read(
        self, tenant: Tenant, known_at: datetime | None, span: Span | None = None
    ) -> StoredSeries:
        """Return the readings, all or those of a *span* in it; raises as `metering.query.read`."""
        if known_at is None and self.at_hand is not None and (span is None or span == self.span):
            return self.at_hand
        (stored,) = await query.read(tenant, [span or self.span], known_at)
        return stored

    def from_(self, cursor: str) -> Instant:
        """Return where the part of the window begins that *cursor* leaves over."""
        if not cursor:
            return self.start
        try:
            return max(self.start, instant_of(datetime.fromisoformat(place_of(cursor))))
        except ValueError:
            raise Invalid.of("wrong_cursor", _NOT_OURS, "/query/cursor") from None


def place_at(instant: Instant) -> str:
    """Return the place of an instant in a window."""
    return utc_text(instant)


async def channel_window(
    tenant: Tenant,
    meter: str,
    channel: str | None,
    window: tuple[datetime | date, datetime | date],
    limit: int,
) -> ChannelWindow:
    """Return the channel and the window that a query names.

    Raises:
        NotFound: There is no such meter or channel.
        AmbiguousChannel: The meter has several channels, and none is named.
        Invalid: The end is not after the start, or there are more slots than *limit*.

    """
    channels, timezone = await registry.channels_and_zone(tenant, meter)
    chosen = _Named(meter, channel, window, limit).among(channels, timezone)
    spend(chosen.slots)
    return chosen


async def channel_to_read(
    tenant: Tenant,
    meter: str,
    channel: str | None,
    window: tuple[datetime | date, datetime | date],
    limit: int,
) -> ChannelWindow:
    """Do what `channel_window` does, for who reads all of it next; raises the same.

    Where the readings are at hand, and are still what is stored, it has them.
    """
    named = _Named(meter, channel, window, limit)
    found = await recall.found(tenant, meter, named.among)
    spend(found.wanted.slots)
    return attrs.evolve(found.wanted, at_hand=found.stored)


@attrs.frozen
class _Named:
    """What a query names: a meter, a channel of it or its only one, and a window."""

    meter: str
    channel: str | None
    window: tuple[datetime | date, datetime | date]
    limit: int

    def among(self, channels: list[Channel], timezone: str) -> ChannelWindow:
        """Return the channel among those of the meter, and the window in its time zone."""
        chosen, zone = _channel(self.meter, self.channel, channels), Zone.named(timezone)
        found = ChannelWindow(chosen, zone, *window_of(zone, *self.window))
        if found.slots > self.limit:
            message = f"the window has more slots than limits.slots ({self.limit})"
            raise Invalid.of("too_many_slots", message, "/query/end")
        return found


def _channel(meter: str, wanted: str | None, channels: list[Channel]) -> Channel:
    named = [channel for channel in channels if wanted in (None, channel.id)]
    if not named:
        raise NotFound(f"the meter {meter!r} has no channel {wanted!r}")
    if len(named) > 1:
        names = ", ".join(channel.id for channel in named)
        message = f"the meter {meter!r} has several channels: {names}"
        raise AmbiguousChannel.of(AmbiguousChannel.code, message, "/query/channel")
    return named[0]


def window_of(zone: Zone, start: datetime | date, end: datetime | date) -> tuple[Instant, Instant]:
    """Return the window of the query parameters `start` and `end`; raises `Invalid` if empty."""
    begin, past = _boundary(zone, start, "start"), _boundary(zone, end, "end")
    if past <= begin:
        raise Invalid.of("empty_window", "the end must be after the start", "/query/end")
    return begin, past


def _boundary(zone: Zone, moment: datetime | date, name: str) -> Instant:
    """Return a boundary of a window, the query parameter *name*."""
    if isinstance(moment, datetime) and moment.microsecond:
        raise Invalid.of("out_of_range", "instants are whole seconds", f"/query/{name}")
    return zone.boundary(moment)


# Bodies as examples: data beside the endpoints, all of one home, so that they fit together.


def examples(name: str) -> dict[str, Any]:
    """Return the bodies in `endpoints/<name>.json`, by what each shows."""
    text = (files("energia.web.endpoints") / f"{name}.json").read_text(encoding="utf-8")
    bodies: dict[str, Any] = json.loads(text)
    return bodies
