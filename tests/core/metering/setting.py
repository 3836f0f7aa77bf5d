"""A meter to write to, and short ways of sending and reading back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import attrs
import msgspec
import numpy as np

from energia import convert
from energia.db.pool import Tenant
from energia.errors import Fault
from energia.metering import registry
from energia.metering.body import Body
from energia.metering.imports import Import, ImportRules, Intake
from energia.metering.models import Channel, NewChannel, NewMeter, NewSite
from energia.metering.outcome import Outcome, Problems, ReadingsRejected, ReadingsStored
from energia.metering.validation import ReadingRuns
from energia.settings import Settings

#: Long after every slot of these tests.
LATE = datetime(2026, 9, 1, tzinfo=UTC)
#: The first day of these tests, in seconds.
START = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())

#: The first instant of these tests, as a client sends it.
STAMP = "2026-03-01T00:00:00Z"
#: A body of one series, up to its values.
HEAD = b'{"series":[{"meter":"m","start":"2026-03-01T00:00:00Z","interval":"PT1H","values":['

#: When a slot starts, its value and its quality.
Item = tuple[int, int | None, int]


@attrs.define
class FixedClock:
    """Tells the time that it was told."""

    time: datetime = LATE

    def now(self) -> datetime:
        """Return that time."""
        return self.time


@attrs.define
class Heard:
    """Notes what observers are told."""

    events: list[ReadingsStored] = attrs.Factory(list)

    def readings_stored(self, event: ReadingsStored, /) -> None:
        """Note an import."""
        self.events.append(event)

    def readings_rejected(self, event: ReadingsRejected, /) -> None:
        """Leave refusals to the tests of the metrics."""


async def meter(
    tenant: Tenant,
    id_: str = "m",
    *,
    interval: str = "PT1H",
    offset: str = "PT0S",
    max_power: str | None = None,
    zone: str = "UTC",
    channels: Sequence[str] = ("import",),
) -> Channel:
    """Make a meter and return its first channel."""
    await registry.put_site(tenant, zone.replace("/", "."), NewSite("Home", zone, "GB", "GBP"))
    power = None if max_power is None else Decimal(max_power)
    made = tuple(
        NewChannel(name, "active_energy", "import", "kWh", interval, offset, max_power=power)
        for name in channels
    )
    await registry.put_meter(tenant, id_, NewMeter(zone.replace("/", "."), made), LATE)
    return (await registry.channels(tenant, id_))[0]


async def post(
    tenant: Tenant,
    body: object,
    *,
    skip: bool = False,
    clock: FixedClock | None = None,
    heard: Heard | None = None,
) -> Outcome:
    """Store a body as the API does."""
    intake = Intake.of(Settings(), clock or FixedClock(), tenant, heard or Heard())
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return await intake.body(convert.decode(data, Body), skip=skip)


def one_series(
    values: Sequence[object], start: int = START, meter: str = "m", interval: str = "PT1H"
) -> dict[str, object]:
    """Return an item of `series`."""
    stamp = datetime.fromtimestamp(start, UTC).isoformat()
    return {"meter": meter, "start": stamp, "interval": interval, "values": values}


def series(
    values: Sequence[object], start: int = START, meter: str = "m", interval: str = "PT1H"
) -> dict[str, object]:
    """Return a body with one series."""
    return {"series": [one_series(values, start, meter, interval)]}


def runs(meter: str, items: Sequence[Item]) -> ReadingRuns:
    """Return items as runs of one slot each."""
    starts, values, quality = zip(*items, strict=True)
    count = len(items)
    return ReadingRuns(
        [(meter, None, None)],
        np.zeros(count, np.int64),
        np.array(starts, np.int64),
        np.zeros(count, np.int64),
        np.ones(count, np.int64),
        np.array(quality, np.int8),
        np.array([np.nan if value is None else value for value in values], np.float64),
        lambda index: Decimal(values[index]),
        lambda run, _: Fault("", "", index=run),
    )


async def store(
    tenant: Tenant, meter: str, batches: Sequence[Sequence[Item]], now: float
) -> Outcome:
    """Store batches as one import that skips what is wrong."""
    async with tenant.transaction() as queries:
        rules, one_batch = ImportRules(now, 7200, skip=True), len(batches) == 1
        import_ = await Import.begin(queries, rules, Problems(), "test", one_batch=one_batch)
        for items in batches:
            await import_.add(runs(meter, items))
        return await import_.finish(sum(map(len, batches)), "")


def counts(outcome: Outcome) -> dict[str, int]:
    """Return the counts of an outcome."""
    names = [field.name for field in attrs.fields(Outcome) if field.type is int]
    return {name: getattr(outcome, name) for name in names}
