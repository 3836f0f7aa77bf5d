"""Readings: sent as JSON, and given back as they are stored."""

from datetime import datetime
from itertools import pairwise
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import AmbiguousChannel, NotFound
from energia.metering import durations, query
from energia.metering.bodies import Body
from energia.metering.intake import Intake
from energia.metering.outcome import Outcome
from energia.metering.series import MISSING, QUALITIES, Micro, Quality
from energia.units import MICRO
from energia.web import readings as files
from energia.web.endpoints.imports import OnProblem
from energia.web.examples import examples
from energia.web.ids import ChannelId, MeterId
from energia.web.routes import Routes
from energia.web.streams import FILES, JSON, Accepted, Rows
from energia.web.windows import Asked, End, From, KnownAt, Start, asked, cursor_at

#: How many slots one answer has; `next` leads to the others.
_SLOTS = 400_000

routes = Routes(tag="Readings")


class QualityRun(msgspec.Struct):
    """Consecutive slots of one quality.

    Attributes:
        from_: The index of the first.
        to: The index past the last.
        code: The quality.

    """

    from_: int = msgspec.field(name="from")
    to: int
    code: str


class Readings(msgspec.Struct):
    """The readings of a channel, slot by slot.

    Attributes:
        unit: The canonical unit of the quantity: kWh, kvarh, kVAh or m3.
        interval: The length of a slot.
        start: When the first slot starts, with the site's offset.
        end: When the last slot ends.
        values: The quantity in each slot, exact to six decimals; null where it is missing.
        quality: The qualities of the slots, as runs.
        revision_at: When the newest revision was recorded; null without readings.
        next: The `cursor` of the rest of the window; null if this is all of it.

    """

    meter: str
    channel: str
    unit: str
    interval: str
    start: datetime
    end: datetime
    values: Annotated[
        list[float],
        Meta(extra_json_schema={"items": {"type": ["number", "null"]}}),
    ]
    quality: list[QualityRun]
    revision_at: datetime | None
    next: str | None


@routes.post("/v1/readings", examples=examples("readings"))
async def post_readings(
    body: Body, core: Core, tenant: Tenant, on_problem: OnProblem = "refuse"
) -> Outcome:
    """Store readings of any meters: all of them, or none if something is wrong.

    What is stored already changes nothing; what differs becomes a new revision.
    """
    return await Intake.of(core, tenant).body(body, skip=on_problem == "skip")


@routes.get("/v1/meters/{meter}/readings", errors=(NotFound, AmbiguousChannel), produces=FILES)
async def get_readings(
    meter: MeterId,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    accepted: Accepted,
    channel: ChannelId | None = None,
    known_at: KnownAt | None = None,
    cursor: From | None = None,
) -> Readings | Rows:
    """Return the readings of a channel that start in a window, slot by slot.

    With `known_at`, as they were known at that instant: exact for revisions; readings that came
    while their day was running are dated by the end of their slot.

    As a file the whole window comes at once, a row for each slot. CSV has the columns `start`,
    `value` (empty where it is missing), `unit` and `quality` (empty where nothing was ever sent);
    import it again with
    `POST /v1/imports?format=csv&meter=...&channel=...&quality_column=quality&unit=...` and the
    `unit` of its rows. NDJSON has `meter`, `channel`, `start`, `value`, `unit` and `quality`.
    """
    found = await asked(tenant, meter, channel, (start, end), core.settings.limits.slots)
    first = found.from_(cursor)
    if accepted != JSON:
        pieces = query.pieces(tenant, found.channel, first, found.end, known_at)
        return files.rows(found, pieces, accepted)
    past = min(found.end, first + _SLOTS * found.channel.interval)
    read = await query.revised(tenant, found.channel, first, past, known_at)
    return _answer(meter, found, read, past)


def _answer(meter: str, found: Asked, read: query.Revised, past: int) -> Readings:
    series, zone = read.series, found.zone
    return Readings(
        meter,
        found.channel.id,
        found.channel.canonical,
        durations.text(found.channel.interval),
        zone.datetime(series.start),
        zone.datetime(series.end),
        _numbers(series.values),
        _runs(series.quality),
        read.revision_at,
        cursor_at(past) if past < found.end else None,
    )


def _numbers(values: Micro) -> list[float]:
    """Return micro-units as numbers: the shortest text of each is exact; NaN is null in JSON."""
    numbers: list[float] = np.where(values == MISSING, np.nan, values / MICRO).tolist()
    return numbers


def _runs(quality: Quality) -> list[QualityRun]:
    if not len(quality):
        return []
    codes = np.maximum(quality, 0)
    cuts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    return [QualityRun(a, b, QUALITIES[int(codes[a])]) for a, b in pairwise(cuts)]
