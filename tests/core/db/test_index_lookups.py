"""Readings and prices are found by their index, also below the row policies.

A policy comes first: what is not leakproof, such as a sum of a date and a number, is worked out for
each row that the policy lets through, be it the whole table. Only what is leakproof may be an index
condition; so statements work such values out before they join.
"""

from datetime import date
from typing import Any

import pytest

from energia.billing.bills import SQL as BILLING
from energia.db.tenant import Tenant
from energia.metering.query import SQL as METERING
from energia.pricing.market.store import SQL as MARKET

ONE_CHANNEL = {"channels": [1], "first": [20_000], "last": [20_100], "numbers": [1]}
AT_HAND = {**ONE_CHANNEL, "servers": [None], "versions": [None]}
OF_CHANNEL = {
    "channel": 1,
    "first": date(2024, 10, 4),
    "last": date(2025, 1, 12),
    "server": None,
    "versions": None,
}
FILL: dict[str, Any] = {"channels": [1], "days": [20_000], "slots": [1], "values": [1]}
FILL |= {"empty": "", "import": 1}
ONE_SERIES = {"series": ["spot"], "starts": [0], "ends": [9], "known": [None]}


#: How packs of the archive are found: they begin up to 30 days before the first day.
PACKS = "(first_day >= {0}.early) AND (first_day <= {0}.last)"

#: Enough of both for an index to be worth it, and what the planner knows of them.
ROWS = """
insert into reading_day
  (organization_id, channel_id, day, "values", revision, import_id, recorded_at)
select 1, channel, date '2024-01-01' + day, array_fill(1::bigint, array[24]), 1, 1, now()
from generate_series(1, 4) channel, generate_series(1, 500) day;
insert into reading_archive (organization_id, channel_id, first_day, last_day, width, unit, narrow,
  revisions, import_ids, recorded_at)
select 1, channel, day, day + 27, 24, 1, array_fill(1::smallint, array[28 * 24]), '{1}', '{1}',
  array[now()]
from generate_series(1, 40) channel, (
  select date '2014-01-01' + 28 * number as day from generate_series(1, 100) number) days;
insert into price (organization_id, series_id, start_at, end_at, price, recorded_at)
select 1, 'spot', now() + hour * interval '1 hour', now() + (hour + 1) * interval '1 hour', 1, now()
from generate_series(1, 4000) hour;
analyze reading_day, reading_archive, price"""


#: A table of channels that fits into a page, as the planner knows.
FEW_CHANNELS = """
insert into site (organization_id, id, name, timezone, country, currency)
values (1, 's', 's', 'UTC', 'GB', 'GBP');
insert into meter (organization_id, id, site_id)
select 1, 'm' || number, 's' from generate_series(1, 20) number;
insert into channel (organization_id, meter_id, name, position, quantity, direction, unit,
  interval_seconds, offset_seconds, kind)
select 1, 'm' || number, 'import', 0, 'active_energy', 'import', 'kWh', 900, 0, 'interval'
from generate_series(1, 20) number;
analyze channel"""


@pytest.mark.parametrize(
    ("sql", "parameters", "condition"),
    [
        (
            METERING["blocks_read"],
            {"channels": [1], "days": [20_000]},
            "(channel_id = b.channel) AND (day = b.day)",
        ),
        *(
            (METERING[name], FILL, "(channel_id = b.channel) AND (day = ")
            for name in ("slots_fill", "slots_filled")
        ),
        (METERING["blocks_now"], AT_HAND, "AND (day >= asked.first) AND (day <= asked.last)"),
        (
            METERING["blocks_at"],
            {**ONE_CHANNEL, "pins": [None]},
            "AND (day >= asked.first) AND (day <= asked.last)",
        ),
        (METERING["blocks_now"], AT_HAND, PACKS.format("asked_1")),
        (METERING["blocks_at"], {**ONE_CHANNEL, "pins": [None]}, PACKS.format("asked_1")),
        (METERING["blocks_of_channel"], OF_CHANNEL, "AND (day >= '2024-10-04'::date)"),
        (METERING["blocks_of_channel"], OF_CHANNEL, "AND (first_day >= '2024-09-04'::date)"),
        (
            METERING["blocks_revised"],
            {**ONE_CHANNEL, "pins": [None]},
            "AND (day >= asked.first) AND (day <= asked.last)",
        ),
        (METERING["blocks_revised"], {**ONE_CHANNEL, "pins": [None]}, PACKS.format("asked")),
        (BILLING["bill_repriced"], (["b"],), "(start_at < seen.past) AND (start_at > seen.first)"),
        (
            MARKET["price_read"],
            ONE_SERIES,
            "(start_at < asked.end_at) AND (start_at > asked.first)",
        ),
        (MARKET["price_current"], {"id": "spot", "start": 0, "end": 9}, "(start_at > s.first)"),
    ],
    ids=lambda value: value.partition("\n")[0][:40] if isinstance(value, str) else "",
)
async def test_a_statement_looks_up_by_the_index(
    tenant: Tenant, sql: str, parameters: Any, condition: str
) -> None:
    """The condition that narrows the time is one of the index, and not a filter."""
    given = (parameters,) if isinstance(parameters, dict) else parameters
    async with tenant.transaction() as queries:
        await queries.execute(ROWS)
        for other in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
            await queries.execute(f"set local enable_{other} = off")
        plan = await queries.fetch(str, f"explain {sql}", *given)

    assert any("Index Cond" in line and condition in line for line in plan), "\n".join(plan)


async def test_channels_are_looked_up_by_the_index_from_the_first_on(tenant: Tenant) -> None:
    """A session plans it once, maybe while the table is so small that all of it would be read."""
    async with tenant.transaction() as queries:
        await queries.execute(FEW_CHANNELS)
        for name in ("channels_of", "channels_hold"):
            await queries.rows(METERING[name], {"meters": "{m1,m2}"})
        scans = await queries.rows(
            "select seq_scan, idx_scan from pg_stat_xact_user_tables where relname = 'channel'"
        )

    assert scans == [(0, 3)]
