"""What is in the archive is read as it was: a meter whose days go there is like one whose stay."""

import asyncio
import csv
import gzip
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energia.db.pool import Pool, Tenant
from energia.errors import DatabaseError
from energia.metering import archive, corrections, packs, query, stored
from energia.metering.archive import ReadingsArchive, Window
from energia.metering.deletion import Asked, delete_readings
from energia.metering.models import Channel
from energia.metering.query import Span
from energia.settings import Readings, Settings
from energia.time import day_number, instant_of
from tests.core.metering.setting import Item, counts, meter, post, series, store
from tests.serving import LOOPBACK, make_core

_NUMBERS = count()
DATA = Path(__file__).parents[2] / "data/household"
HOUR = 3600
#: The first day of the tests, and its number.
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
START = instant_of(FIRST)
#: All that is before the middle of 2024 may go.
HALF = Window(-1_000_000, day_number(date(2024, 7, 1)))
#: Relative to the first of January: the archive has the months before March, or none of it.
NOW = START + 400 * 86_400
#: In kWh: such as meters give, and those that take all digits there are.
VALUES = st.one_of(
    st.none(), st.integers(-2, 2), st.sampled_from([40_000, 10**9, Decimal("0.000001")])
)
TWINS = ("a", "b")


@attrs.frozen
class Twins:
    """Two meters that get the same; of the first, days go to the archive."""

    tenant: Tenant
    channels: tuple[Channel, Channel]

    @property
    def archived(self) -> Channel:
        """The one whose days go there."""
        return self.channels[0]

    async def store(self, batches: Sequence[Sequence[Item]]) -> None:
        """Store the same of both, as one import each, and compare what is told of it."""
        outcomes = [await store(self.tenant, one.meter, batches, NOW) for one in self.channels]
        assert counts(outcomes[0]) == counts(outcomes[1])

    async def archive(self, window: Window = HALF) -> int:
        """Move what is old enough of the first one."""
        return await archive.archive(self.tenant, window, self.archived.meter)

    async def read(self, channel: Channel, moments: Sequence[datetime]) -> list[Any]:
        """Return all that is told of the readings of a channel, now and as of some moments."""
        tenant, span = self.tenant, Span(channel, START, START + 200 * 86_400)
        inside = Span(channel, START + 40 * 86_400 + 5 * HOUR, START + 70 * 86_400)
        answers = await query.read(tenant, [span, inside])
        for moment in moments:
            answers += await query.read(tenant, [span, inside], moment)
        told = [
            (one.series.start, one.series.values.tolist(), one.series.quality.tolist())
            for one in answers
        ]
        found, _ = await corrections.corrections(tenant, span, 0, 100)
        changed = [
            (one.start, one.end, one.slots, one.before, one.after, one.format) for one in found
        ]
        days = await query.stored_span(tenant, channel)
        extent = (await stored.extents(tenant, [channel])).get(channel.key)
        rows = await tenant.records(
            "select start_at, value, unit, quality from reading where meter = %s order by start_at",
            channel.meter,
        )
        ends = None if extent is None else (extent.first, extent.last)
        return [told, changed, days and (days.start, days.end), ends, rows]

    async def usage(self) -> list[int]:
        """Return the sum of each, of the whole time."""
        spans = [Span(one, 0, NOW) for one in self.channels]
        found = await query.read(self.tenant, spans)
        return [sum(filter(lambda value: value > 0, one.series.values.tolist())) for one in found]

    async def refuse_other(self, moments: Sequence[datetime] = ()) -> None:
        """Find both alike, in every way."""
        one, other = [await self.read(channel, moments) for channel in self.channels]
        assert one == other


async def twins(tenant: Tenant, interval: str = "PT1H", offset: str = "PT0S") -> Twins:
    """Make two meters."""
    names = [f"{name}{next(_NUMBERS)}" for name in TWINS]
    made = [await meter(tenant, name, interval=interval, offset=offset) for name in names]
    return Twins(tenant, (made[0], made[1]))


async def moment(tenant: Tenant) -> datetime:
    """Return what the server's clock says."""
    (text,) = await tenant.fetch(str, "select clock_timestamp()::text")
    return datetime.fromisoformat(text)


#: Hours of some days, of which most are in the first months.
ITEM = st.tuples(st.integers(0, 90), st.integers(0, 23), VALUES, st.sampled_from([1, 1, 1, 5, 7]))
BATCH = st.lists(ITEM, min_size=1, max_size=30)
IMPORTS = st.lists(st.lists(BATCH, min_size=1, max_size=2), min_size=1, max_size=4)


@given(IMPORTS, st.sampled_from(["PT0S", "PT30M"]), st.booleans())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_sequence_of_imports_reads_the_same(
    tenant: Tenant, imports: Any, offset: str, corrected: bool
) -> None:
    """Values, qualities, revisions, corrections, rows: the archive between imports changes none."""
    both, moments = await twins(tenant, offset=offset), list[datetime]()
    shift = 1800 if offset == "PT30M" else 0
    # What comes first is newer than all that goes to the archive.
    for batches in [[[(150, 0, 1, 1)]], *imports]:
        await both.store(
            [
                [
                    (START + shift + day * 86_400 + hour * HOUR, value, quality)
                    for day, hour, value, quality in batch
                ]
                for batch in batches
            ]
        )
        moments.append(await moment(tenant))
        await both.archive()
        await both.refuse_other(moments)
    if corrected:
        await both.store([[(START + shift + 3 * 86_400, 77, 1)]])
        await both.refuse_other(moments)


async def _household(both: Twins) -> int:
    """Send a real household's half-hours to both, a day an import; return how many days it was."""
    name = "uk-electricity-hdd-only-hourly-sample-1.csv.gz"
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        rows = {row["start"]: row["value"] for row in csv.DictReader(file)}
    days: dict[int, list[Any]] = {}
    for text, value in rows.items():
        start = instant_of(datetime.fromisoformat(text).replace(tzinfo=UTC))
        days.setdefault(start // 86_400, []).append((start, Decimal(value), 1))
    for month in range(0, len(days), 30):
        some = [days[day] for day in sorted(days)[month : month + 30]]
        await both.store([[item for items in some for item in items]])
    return len(days)


async def test_a_real_household_reads_the_same_in_half_of_the_bytes(tenant: Tenant) -> None:
    """Fifteen months of half-hours, with the noise and the gaps that they have."""
    both = await twins(tenant, interval="PT30M")
    total = await _household(both)
    before = await both.usage()

    moved = await both.archive(Window(0, day_number(date(2013, 12, 1))))
    sizes = await tenant.fetch(
        lambda packed, blocks: (packed, blocks),
        "select (select sum(pg_column_size(a)) from reading_archive a)::int, ("
        "select sum(pg_column_size(d)) from reading_day d where channel_id = %s and day < %s)::int",
        both.channels[1].key,
        date(2013, 12, 1),
    )

    assert total - 62 < moved < total
    assert await both.usage() == before
    await both.refuse_other()
    assert sizes[0][0] < sizes[0][1] / 2, sizes
    (narrow,) = await tenant.fetch(
        int, "select count(*)::int from reading_archive where wide is null"
    )
    assert narrow >= 14


async def test_a_correction_brings_its_month_back_and_no_other(tenant: Tenant) -> None:
    """What was read before is still what was known then; the next run moves the month again."""
    both = await _filled(tenant)
    assert await both.archive() == 91
    then = await moment(tenant)

    await both.store([[(START + 40 * 86_400, 9, 1)]])
    restored = await tenant.fetch(
        str,
        "select day::text from reading_day where channel_id = %s order by day limit 30",
        both.archived.key,
    )

    assert restored == [f"2024-02-{day:02}" for day in range(1, 30)] + ["2024-04-01"]
    await both.refuse_other([then])
    assert await both.archive() == 29
    await both.refuse_other([then])


async def test_the_month_of_the_newest_value_stays(tenant: Tenant) -> None:
    """A meter that has ended keeps one as blocks; marks that something is missing are no values."""
    both = await twins(tenant)
    await both.store([[(START + day * 86_400, 1, 1) for day in range(50)]])
    await both.store([[(START + day * 86_400, None, 0) for day in range(50, 120)]])

    assert await both.archive() == 31
    assert await both.archive() == 0
    await both.refuse_other()


async def test_a_deletion_goes_through_the_archive(tenant: Tenant) -> None:
    """As many values are gone, and what stays is the same, wherever it was cut."""
    both = await _filled(tenant)
    await both.archive()

    for before in (START + 5 * 86_400, START + 40 * 86_400 + 7 * HOUR, START + 500 * 86_400):
        gone = []
        for channel in both.channels:
            async with tenant.transaction() as queries:
                asked = Asked("me", "because")
                gone.append(await delete_readings(queries, channel.meter, before, asked))
        assert gone[0].readings == gone[1].readings > 0
        await both.refuse_other()
    assert await tenant.fetch(int, "select count(*)::int from reading_archive") == [0]


async def test_what_readers_see_while_days_come_and_go(tenant: Tenant) -> None:
    """Each reading is there once at any time, whoever archives, restores and corrects meanwhile."""
    both = await _filled(tenant)
    span = Span(both.archived, START, START + 120 * 86_400)

    async def read() -> list[int]:
        (found,) = await query.read(tenant, [span])
        return list(map(int, found.series.values))

    await _same_meanwhile(both, read)


async def test_what_the_view_gives_while_days_come_and_go(tenant: Tenant) -> None:
    """It has each reading once as well."""
    both = await _filled(tenant)

    async def read() -> list[int]:
        return await tenant.fetch(
            int, "select count(*)::int from reading where meter = %s", both.archived.meter
        )

    await _same_meanwhile(both, read)


async def _same_meanwhile(both: Twins, read: Callable[[], Awaitable[list[int]]]) -> None:
    """Read the same again and again while days go to the archive and come back."""
    expected, ended = await read(), asyncio.Event()

    async def read_on() -> int:
        rounds = 0
        while not ended.is_set():
            assert await read() == expected
            rounds += 1
        return rounds

    async def write() -> None:
        for _ in range(10):
            await both.archive()
            await post(both.tenant, series([1], START + 40 * 86_400, both.archived.meter))
            await archive.restore(both.tenant, both.archived.meter)
        ended.set()

    rounds, _ = await asyncio.gather(read_on(), write())

    assert rounds > 3


async def test_a_channel_that_is_written_is_left_for_the_next_run(
    pool: Pool, tenant: Tenant
) -> None:
    """An import may hold it for long: nothing waits for that."""
    both = await _filled(tenant)
    async with pool.tenant().transaction() as queries:
        await packs.hold(queries, [both.archived.key])
        assert await both.archive() == 0

    assert await both.archive() == 91


async def test_a_block_that_the_archive_has_otherwise_stays(tenant: Tenant) -> None:
    """The server compares each of them before it goes; a difference undoes all of it."""
    both = await _filled(tenant)
    await tenant.execute(
        "create function tests_alter() returns trigger language plpgsql as $$ begin"
        " new.narrow[1] := 77; return new; end $$;"
        " create trigger tests_alter before insert on reading_archive for each row"
        " execute function tests_alter()"
    )

    with pytest.raises(DatabaseError, match="nothing was moved"):
        await both.archive()

    assert await tenant.fetch(int, "select count(*)::int from reading_archive") == [0]
    await both.refuse_other()


async def test_a_day_that_is_there_twice_is_refused(tenant: Tenant) -> None:
    """An older release may have stored it beside the archive: nobody knows which one counts."""
    both = await _filled(tenant)
    await both.archive()
    await tenant.execute(
        'insert into reading_day (organization_id, channel_id, day, "values", revision, import_id,'
        ' recorded_at) select organization_id, channel_id, day, "values", 1, 1, now()'
        " from reading_day_archived where day = '2024-02-03'"
    )

    for moments in ([], [await moment(tenant)]):
        with pytest.raises(
            DatabaseError, match="from 2024-02-01 on are in the archive, and beside"
        ):
            await both.read(both.archived, moments)


async def test_everything_comes_back(tenant: Tenant) -> None:
    """What was moved is restored, with its revisions and dates, and the archive is empty."""
    both = await _filled(tenant)
    blocks = "select md5(string_agg(d::text, ',' order by day)) from reading_day d"
    before = await tenant.fetch(str, f"{blocks} where channel_id = {both.archived.key}")
    moved = await both.archive()

    assert await archive.restore(tenant) == moved == 91
    assert await tenant.fetch(str, f"{blocks} where channel_id = {both.archived.key}") == before
    assert await tenant.fetch(int, "select count(*)::int from reading_archive") == [0]


async def test_a_month_that_does_not_fit_goes_in_parts(tenant: Tenant) -> None:
    """A day of seconds is a pack; so are days that are apart."""
    both = await twins(tenant, interval="PT1S")
    for day in (0, 1, 3):
        await both.store(
            [[(START + day * 86_400 + second, second, 1) for second in (0, 5, 86_399)]]
        )
    await both.store([[(START + 150 * 86_400, 1, 1)]])

    assert await both.archive() == 3
    assert await tenant.fetch(str, "select first_day::text from reading_archive order by 1") == [
        *("2024-01-01", "2024-01-02", "2024-01-04"),
    ]
    await both.refuse_other()


async def _filled(tenant: Tenant) -> Twins:
    """Make two meters with a value on each of 121 days, of which 91 are before April."""
    both = await twins(tenant)
    await both.store([[(START + day * 86_400, 1, 1) for day in range(121)]])
    return both


# Once a day.


async def test_the_task_archives_beyond_the_age(pool: Pool, tenant: Tenant) -> None:
    """With `readings.archive`, whole months go; those that retention is about to cut stay."""
    both = await _filled(tenant)
    core = make_core(pool=pool, settings=Settings(outgoing=LOOPBACK))
    months = "select distinct first_day::text from reading_archive order by 1"

    await ReadingsArchive().run(core, {})
    assert await tenant.fetch(str, months) == []
    for retention, expected in (("P1M", []), (None, ["2024-01-01", "2024-02-01", "2024-03-01"])):
        wanted = attrs.evolve(core.settings, readings=Readings(archive="P2M", retention=retention))
        await ReadingsArchive().run(attrs.evolve(core, settings=wanted), {})
        assert await tenant.fetch(str, months) == expected
    await both.refuse_other()


@pytest.mark.parametrize(
    ("age", "retention", "since", "before"),
    [
        ("P2Y", None, date.min, date(2024, 5, 1)),
        ("P3M", "P5Y", date(2021, 7, 1), date(2026, 2, 1)),
        ("P3M", "P1Y", date(2025, 7, 1), date(2026, 2, 1)),
    ],
)
def test_which_days_may_go(age: str, retention: str | None, since: date, before: date) -> None:
    """Whole months beyond the age, that are not about to be deleted."""
    window = Window.of(date(2026, 5, 31), age, retention)

    assert (window.since, window.before) == (day_number(since), day_number(before))
