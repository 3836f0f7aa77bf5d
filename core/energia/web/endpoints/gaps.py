"""Gaps: where readings are missing, and why."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from typing import Final

import attrs

from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import AmbiguousChannel, NotFound
from energia.metering import gaps, query
from energia.metering.gaps import Gaps, Reason
from energia.web.cells import stamps
from energia.web.ids import ChannelId, MeterId
from energia.web.pages import Limit, Page, page
from energia.web.routes import Routes
from energia.web.streams import FILES, JSON, ROWS, Accepted, Batch, Rows
from energia.web.windows import Asked, End, From, KnownAt, Start, asked, cursor_at
from energia.zones import Zone

_COLUMNS: Final = ("start", "end", "slots", "reason")

routes = Routes(tag="Readings")


@attrs.frozen
class Gap:
    """Consecutive slots without a reading.

    Attributes:
        start: When the first slot starts, with the site's offset.
        end: When the last slot ends.
        slots: How many there are.
        reason: Nothing was ever sent, or it was sent that there is no value.

    """

    start: datetime
    end: datetime
    slots: int
    reason: Reason


@routes.get("/v1/meters/{meter}/gaps", errors=(NotFound, AmbiguousChannel), produces=FILES)
async def get_gaps(
    meter: MeterId,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    accepted: Accepted,
    channel: ChannelId | None = None,
    known_at: KnownAt | None = None,
    limit: Limit = 100,
    cursor: From | None = None,
) -> Page[Gap] | Rows:
    """Return where a channel has no reading among the slots that start in a window.

    As a file all of them come at once, with the columns `start`, `end`, `slots` and `reason`.
    """
    found = await asked(tenant, meter, channel, (start, end), core.settings.limits.slots)
    pieces = query.pieces(tenant, found.channel, found.from_(cursor), found.end, known_at)
    if accepted != JSON:
        return Rows(_COLUMNS, _batches(gaps.across(pieces), found.zone))
    return page(await _first(gaps.across(pieces), limit + 1, found), limit, _next)


async def _first(found: AsyncIterator[Gaps], most: int, at: Asked) -> list[Gap]:
    """Return the first gaps, and read no further."""
    listed: list[gaps.Gap] = []
    async for some in found:
        listed += some.listed(most - len(listed))
        if len(listed) == most:
            break
    moment = at.zone.datetime
    return [Gap(moment(gap.start), moment(gap.end), gap.slots, gap.reason) for gap in listed]


def _next(gap: Gap) -> str:
    return cursor_at(round(gap.end.timestamp()))


async def _batches(found: AsyncIterator[Gaps], zone: Zone) -> AsyncGenerator[Batch, None]:
    async for some in found:
        for at in range(0, len(some), ROWS):
            part = some[at : at + ROWS]
            slots, reasons = zip(*((gap.slots, gap.reason) for gap in part.listed()), strict=True)
            yield [stamps(zone, part.starts), stamps(zone, part.ends), slots, reasons]
