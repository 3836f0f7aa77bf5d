"""Narrow blocks and arrays: which block has which form, and that both say the same."""

from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energia.db.pool import Tenant
from energia.metering import query
from energia.metering.models import Channel
from energia.metering.series import MISSING
from tests.core.metering.setting import START, FixedClock, meter, one_series, post, series

HOUR: Final = 3600
#: The largest number of micro-units that is narrow: it and its negative are.
MOST: Final = 2**31 - 1
MICROS: Final = st.one_of(
    st.none(),
    st.integers(-(10**15), 10**15),
    st.integers(-MOST, MOST),
    st.sampled_from([0, MOST, -MOST, MOST + 1, -MOST - 1, 255, 256, -1]),
)
UPGRADING: Final = Path(__file__).parents[3] / "docs/how-to/upgrading.md"
MIGRATION: Final = resources.files("energia.db.migrations").joinpath("0026_narrow_blocks.sql")


async def form(tenant: Tenant, meter: str = "m") -> tuple[bool, int]:
    """Return whether the only block of a meter is narrow, and its revision."""
    (row,) = await tenant.fetch(
        lambda *row: row,
        "select d.narrow is not null, d.revision from reading_day d "
        "where d.channel_id in (select id from channel where meter_id = %s)",
        meter,
    )
    return row


async def write_narrow(tenant: Tenant, is_so: bool) -> None:
    """Let blocks be written narrow from now on, or as arrays."""
    await tenant.execute(
        "create or replace function energia_blocks_narrow() returns boolean language sql stable "
        f"parallel safe return {is_so}"
    )


async def values(tenant: Tenant, channel: Channel, slots: int) -> list[int | None]:
    """Return the micro-units of the first slots."""
    found = await query.series(tenant, channel, START, START + slots * HOUR)
    return [None if value == MISSING else value for value in found.values.tolist()]


@given(st.lists(MICROS, min_size=1, max_size=30))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_the_narrow_form_of_an_array_says_the_same(
    tenant: Tenant, micros: list[int | None]
) -> None:
    """Whatever fits comes back, as a whole and slot by slot; what does not has no narrow form."""
    (found,) = await tenant.fetch(
        lambda *row: row,
        "select energia_narrow(wide), energia_slots(energia_narrow(wide), null), "
        "array(select energia_slot(energia_narrow(wide), null, slot) "
        "from generate_series(1, cardinality(wide)) as slot), energia_slots(null, wide) "
        "from (select %s::bigint[] as wide offset 0) as w",
        micros,
    )

    narrow, whole, each, wide = found
    assert wide == micros
    if all(micro is None or abs(micro) <= MOST for micro in micros):
        assert (len(narrow), whole, each) == (4 * len(micros), micros, micros)
    else:
        assert narrow is None


@pytest.mark.parametrize(("value", "is_narrow"), [("2147.483647", True), ("2147.483648", False)])
@pytest.mark.parametrize("sign", ["", "-"])
async def test_a_block_is_narrow_if_each_value_fits(
    tenant: Tenant, value: str, is_narrow: bool, sign: str
) -> None:
    """The largest value that fits is narrow, and one micro-unit more makes an array of the day."""
    channel = await meter(tenant)

    await post(tenant, series([1, f"{sign}{value}", None, 0]))

    assert (await form(tenant))[0] is is_narrow
    micro = int(f"{sign}{value.replace('.', '')}")
    assert await values(tenant, channel, 4) == [1_000_000, micro, None, 0]


async def test_a_live_value_that_does_not_fit_makes_an_array(tenant: Tenant) -> None:
    """What the day had stays, in the same revision; a correction makes it narrow again."""
    channel = await meter(tenant)
    now = FixedClock(datetime.fromtimestamp(START + 3 * HOUR, UTC))
    await post(tenant, series([1]), clock=now)

    await post(tenant, series([3000], START + HOUR), clock=now)
    assert await form(tenant) == (False, 1)
    await post(tenant, series([2], START + 2 * HOUR), clock=now)
    assert await form(tenant) == (False, 1)
    assert await values(tenant, channel, 3) == [1_000_000, 3_000_000_000, 2_000_000]

    await post(tenant, series([3], START + HOUR), clock=now)
    assert await values(tenant, channel, 3) == [1_000_000, 3_000_000, 2_000_000]


async def test_days_of_both_forms_are_read_together(tenant: Tenant) -> None:
    """Arrays lie between narrow days; each value comes from its day, and each quality."""
    channel = await meter(tenant)
    hours = [float(hour % 7) for hour in range(5 * 24)]
    hours[30] = hours[80] = 5000.0
    await post(tenant, series(list[object](hours)))
    estimated = one_series([9.0], START + 49 * HOUR)
    await post(tenant, {"series": [{**estimated, "quality": "estimated"}]})
    hours[49] = 9.0

    found = await query.series(tenant, channel, START, START + 5 * 24 * HOUR)

    assert found.values.tolist() == [round(hour * 1_000_000) for hour in hours]
    assert [at for at, code in enumerate(found.quality.tolist()) if code != 1] == [49]
    before = await query.read(tenant, [query.Span(channel, START, START + 50 * HOUR)])
    assert before[0].series.values.tolist() == found.values[:50].tolist()


async def test_the_release_before_finds_arrays_while_it_may_run(tenant: Tenant) -> None:
    """New days and live values are arrays then; later, a block that changes becomes narrow."""
    channels = {name: await meter(tenant, name) for name in "abc"}
    now = FixedClock(datetime.fromtimestamp(START + 3 * HOUR, UTC))

    async def send(value: int, hour: int) -> None:
        runs = [one_series([value], START + hour * HOUR, name) for name in channels]
        await post(tenant, {"series": runs}, clock=now)

    await write_narrow(tenant, False)
    await send(1, 0)
    await send(2, 1)
    assert [await form(tenant, name) for name in channels] == [(False, 1)] * 3
    await write_narrow(tenant, True)
    await send(3, 2)
    assert [await form(tenant, name) for name in channels] == [(False, 1)] * 3
    for name, channel in channels.items():
        assert await values(tenant, channel, 3) == [1_000_000, 2_000_000, 3_000_000]
        await post(tenant, {"series": [one_series([7, 8, 9], START, name)]})
        assert await form(tenant, name) == (True, 2)
        assert await values(tenant, channel, 3) == [7_000_000, 8_000_000, 9_000_000]


async def test_a_database_that_is_there_gets_arrays_for_a_week(tenant: Tenant) -> None:
    """The release that has made it reads nothing else; a new database has none such."""
    assert await tenant.fetch(bool, "select energia_blocks_narrow()") == [True]
    await tenant.execute(
        "update schema_migration set applied_at = applied_at - interval '2 minutes'"
    )
    text = MIGRATION.read_text(encoding="utf-8")
    begin, past = text.index("do $$"), text.index("$$;") + len("$$;")

    await tenant.execute("drop function energia_blocks_narrow()")
    await tenant.execute(text[begin:past])

    assert await tenant.fetch(bool, "select energia_blocks_narrow()") == [False]
    (source,) = await tenant.fetch(
        str, "select pg_get_functiondef('energia_blocks_narrow'::regproc)"
    )
    since = datetime.fromisoformat(source.split("'")[1])
    (now,) = await tenant.fetch(lambda at: at, "select now()")
    assert 6.99 < (since - now).total_seconds() / 86_400 <= 7


async def test_the_way_back_makes_arrays_of_all(tenant: Tenant) -> None:
    """The statements of the page about upgrades leave no narrow day, and change no value."""
    channel = await meter(tenant)
    await post(tenant, series([1, None, 3000]))
    await post(tenant, series([1, 2]))
    await post(tenant, series([5], START + 24 * HOUR))
    before = await values(tenant, channel, 48)
    text = UPGRADING.read_text(encoding="utf-8").partition("## Back to 0.2.0")[2]
    sql = text.partition("```sql\n")[2].partition("```")[0]
    statements = sql.replace("begin;\n", "").replace("commit;\n", "")

    async with tenant.transaction() as queries:
        for statement in statements.removesuffix("\n").removesuffix(";").split(";\n"):
            await queries.execute(statement)

    for table in ("reading_day", "reading_day_history"):
        narrow = f"select count(*)::int from {table} where narrow is not null"
        assert await tenant.fetch(int, narrow) == [0]
    assert await values(tenant, channel, 48) == before
    await post(tenant, series([7], START + 48 * HOUR))
    rows = "select count(*)::int from reading_day where narrow is null"
    assert await tenant.fetch(int, rows) == [3]
