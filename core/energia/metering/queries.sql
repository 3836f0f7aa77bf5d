-- name: site_get
-- One site.
select id, name, timezone, country, currency, subdivision
from site
where organization_id = current_setting('energia.organization')::int and id = %s

-- name: site_list
-- A page of sites after an id.
select id, name, timezone, country, currency, subdivision
from site
where organization_id = current_setting('energia.organization')::int and id > %s
order by id
limit %s

-- name: site_put
-- Make a site or replace it; true if it was made.
insert into site (organization_id, id, name, timezone, country, currency, subdivision)
values (current_setting('energia.organization')::int, %s, %s, %s, %s, %s, %s)
on conflict (organization_id, id) do update set
  name = excluded.name, timezone = excluded.timezone, country = excluded.country,
  currency = excluded.currency, subdivision = excluded.subdivision
returning xmax = 0

-- name: site_add
-- Make a site, unless there is one.
insert into site (organization_id, id, name, timezone, country, currency, subdivision)
values (current_setting('energia.organization')::int, %s, %s, %s, %s, %s, %s)
on conflict do nothing

-- name: site_delete
-- Delete a site; its meters refer to it.
delete from site
where organization_id = current_setting('energia.organization')::int and id = %s

-- name: meter_get
-- Some meters.
select id, site_id, name, serial
from meter
where organization_id = current_setting('energia.organization')::int and id = any(%s)
order by id

-- name: meter_list
-- A page of meters after an id.
select id, site_id, name, serial
from meter
where organization_id = current_setting('energia.organization')::int and id > %s
order by id
limit %s

-- name: meter_put
-- Make a meter or replace what it says of itself; true if it was made.
insert into meter (organization_id, id, site_id, name, serial)
values (current_setting('energia.organization')::int, %s, %s, %s, %s)
on conflict (organization_id, id) do update set
  site_id = excluded.site_id, name = excluded.name, serial = excluded.serial
returning xmax = 0

-- name: meter_add
-- Make a meter, unless there is one.
insert into meter (organization_id, id, site_id, name, serial)
values (current_setting('energia.organization')::int, %s, %s, %s, %s)
on conflict do nothing

-- name: meter_hold
-- Hold a meter against whoever would change it, its channels or its contracts.
select id
from meter
where organization_id = current_setting('energia.organization')::int and id = %s
for update

-- name: meter_delete
-- Delete a meter with its channels.
delete from meter
where organization_id = current_setting('energia.organization')::int and id = %s

-- name: channels_of
-- The channels of some meters, in the order in which they were declared.
select id, meter_id, name, quantity, direction, unit, interval_seconds, offset_seconds, kind,
  digits, multiplier, max_power
from channel
where organization_id = current_setting('energia.organization')::int and meter_id = any(%s)
order by meter_id, position

-- name: channels_lock
-- The channels of some meters, held for a change.
select id, meter_id, name, quantity, direction, unit, interval_seconds, offset_seconds, kind,
  digits, multiplier, max_power
from channel
where organization_id = current_setting('energia.organization')::int and meter_id = any(%s)
order by id
for update

-- name: channels_lock_for_readings
-- The channels of some meters, held against other writers of readings until the transaction ends.
select id, meter_id, name, quantity, direction, unit, interval_seconds, offset_seconds, kind,
  digits, multiplier, max_power
from channel
where organization_id = current_setting('energia.organization')::int and meter_id = any(%s)
order by id
for no key update

-- name: channels_with_readings
-- Those of some channels that have readings.
select c.id
from unnest(%s::bigint[]) as c (id)
where exists (select from reading_day d where d.channel_id = c.id)

-- name: channel_put
-- Make a channel or replace it.
insert into channel (organization_id, meter_id, name, position, quantity, direction, unit,
  interval_seconds, offset_seconds, kind, digits, multiplier, max_power)
values (current_setting('energia.organization')::int, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (organization_id, meter_id, name) do update set
  position = excluded.position, quantity = excluded.quantity, direction = excluded.direction,
  unit = excluded.unit, interval_seconds = excluded.interval_seconds,
  offset_seconds = excluded.offset_seconds, kind = excluded.kind, digits = excluded.digits,
  multiplier = excluded.multiplier, max_power = excluded.max_power

-- name: channel_delete
-- Delete some channels.
delete from channel
where organization_id = current_setting('energia.organization')::int and id = any(%s)

-- name: import_number
-- The number of a new import.
select nextval(pg_get_serial_sequence('import', 'id'))

-- name: import_add
-- Keep the outcome of an import.
insert into import (id, organization_id, public_id, format, sha256, counts, problems)
overriding system value
values (%s, current_setting('energia.organization')::int, %s, %s, %s, %s::json, %s::json)

-- name: import_same
-- The newest import of the same file, among the last thousand.
select public_id
from (
  select public_id, sha256
  from import
  where organization_id = current_setting('energia.organization')::int
  order by public_id desc
  limit 1000
) as latest
where sha256 = %s
order by public_id desc
limit 1

-- name: import_get
-- One import.
select public_id, format, sha256, recorded_at, counts, problems
from import
where organization_id = current_setting('energia.organization')::int and public_id = %s

-- name: import_list
-- A page of imports before an id, the newest first.
select public_id, format, sha256, recorded_at, counts, '[]'::json
from import
where organization_id = current_setting('energia.organization')::int
  and (%s::text is null or public_id < %s)
order by public_id desc
limit %s

-- name: blocks_read
-- The time, and the blocks that exist among those asked for; arrays in binary, without nulls.
-- The days are worked out before the join: below a row policy only what is leakproof, such as the
-- comparison of two dates, may look rows up by the index; a sum of a date and a number is not.
with t as materialized (select clock_timestamp() as now),
b as materialized (
  select channel, date '1970-01-01' + day as day, k
  from unnest(%s::bigint[], %s::int[]) with ordinality as b (channel, day, k)
)
select t.now, b.k, d.revision,
  array_send(array_replace(d."values", null, -9223372036854775808)),
  array_send(array_replace(d.quality, null, -1::smallint))
from t left join (
  b join reading_day d on d.channel_id = b.channel and d.day = b.day
) on true

-- name: blocks_write
-- Put blocks: a new one (revision 0 is stored), in place, or with the stored one kept in history.
-- How many were put; fewer than asked for means that someone else wrote meanwhile.
with b as materialized (
  select channel, date '1970-01-01' + day as day, slots::bigint[] as slots,
    quality::smallint[] as quality, revision, keep
  from unnest(%(channels)s::bigint[], %(days)s::int[], %(values)s::text[], %(quality)s::text[],
    %(revisions)s::int[], %(keep)s::bool[]) as b (channel, day, slots, quality, revision, keep)
), h as (
  insert into reading_day_history (organization_id, channel_id, day, "values", quality, revision,
    import_id, recorded_at, published_at, superseded_at)
  select d.organization_id, d.channel_id, d.day, d."values", d.quality, d.revision, d.import_id,
    d.recorded_at, d.published_at, %(now)s::timestamptz
  from b join reading_day d on d.channel_id = b.channel and d.day = b.day
    and d.revision = b.revision
  where b.keep
), u as (
  update reading_day d set "values" = b.slots, quality = b.quality,
    revision = b.revision + b.keep::int, import_id = %(import)s,
    recorded_at = case when b.keep then %(now)s::timestamptz else d.recorded_at end
  from b
  where b.revision > 0 and d.channel_id = b.channel and d.day = b.day and d.revision = b.revision
  returning 1
), i as (
  insert into reading_day (organization_id, channel_id, day, "values", quality, revision,
    import_id, recorded_at)
  select current_setting('energia.organization')::int, channel, day, slots, quality, 1,
    %(import)s, %(now)s::timestamptz
  from b
  where revision = 0
  on conflict do nothing
  returning 1
)
select (select count(*) from u) + (select count(*) from i)

-- name: slots_write
-- Put one actual value into each of many blocks; the rules are those of merge.py.
-- How many slots were created, unchanged, corrected; their sum is short if someone else wrote.
with t as materialized (select clock_timestamp() as now),
b as materialized (
  select channel, date '1970-01-01' + day as day, slot, value, live
  from unnest(%(channels)s::bigint[], %(days)s::int[], %(slots)s::int[], %(values)s::bigint[],
    %(live)s::bool[]) as b (channel, day, slot, value, live)
), o as materialized (
  select b.*, x as block, x."values"[b.slot] as old,
    x."values"[b.slot] = b.value and coalesce(x.quality[b.slot], 1) = 1 as same,
    x."values"[b.slot] is not null
      or not b.live
      or cardinality(array_remove(x."values"[b.slot:], null)) > 0 as keep
  from b join reading_day x on x.channel_id = b.channel and x.day = b.day
), h as (
  insert into reading_day_history (organization_id, channel_id, day, "values", quality, revision,
    import_id, recorded_at, published_at, superseded_at)
  select (o.block).organization_id, (o.block).channel_id, (o.block).day, (o.block)."values",
    (o.block).quality, (o.block).revision, (o.block).import_id, (o.block).recorded_at,
    (o.block).published_at, t.now
  from o, t
  where o.keep and o.same is not true
), u as (
  update reading_day x set "values"[o.slot] = o.value,
    quality = case when x.quality is not null
      then x.quality[:o.slot - 1] || 1::smallint || x.quality[o.slot + 1:] end,
    revision = x.revision + o.keep::int, import_id = %(import)s,
    recorded_at = case when o.keep then t.now else x.recorded_at end
  from o, t
  where x.channel_id = o.channel and x.day = o.day and x.revision = (o.block).revision
    and o.same is not true
  returning o.old is null as created
), i as (
  insert into reading_day (organization_id, channel_id, day, "values", revision, import_id,
    recorded_at)
  select current_setting('energia.organization')::int, b.channel, b.day,
    array_fill(null::bigint, array[b.slot - 1]) || b.value
      || array_fill(null::bigint, array[%(width)s - b.slot]),
    1, %(import)s, t.now
  from b, t
  where not exists (select from o where o.channel = b.channel and o.day = b.day)
  on conflict do nothing
  returning 1
)
select (select count(*) from u where created) + (select count(*) from i),
  (select count(*) from o where same),
  (select count(*) from u where not created)

-- name: channel_days
-- The first and the last day on the grid of a channel of which something is stored.
select min(day) - date '1970-01-01', max(day) - date '1970-01-01'
from reading_day
where channel_id = %s
having count(*) > 0

-- name: blocks_now
-- The blocks of some channels, each in its range of days, as they are now.
with asked as materialized (
  select channel, date '1970-01-01' + first as first, date '1970-01-01' + last as last, k::int
  from unnest(%(channels)s::bigint[], %(first)s::int[], %(last)s::int[])
    with ordinality as asked (channel, first, last, k)
)
select asked.k, d.day - date '1970-01-01', d.recorded_at,
  array_send(array_replace(d."values", null, -9223372036854775808)),
  array_send(array_replace(d.quality, null, -1::smallint))
from asked
join reading_day d on d.channel_id = asked.channel and d.day between asked.first and asked.last

-- name: blocks_at
-- The blocks of some channels, each in its range of days, as they were current at an instant.
with asked as materialized (
  select channel, date '1970-01-01' + first as first, date '1970-01-01' + last as last, pin, k::int
  from unnest(%(channels)s::bigint[], %(first)s::int[], %(last)s::int[], %(pins)s::timestamptz[])
    with ordinality as asked (channel, first, last, pin, k)
)
select k, day - date '1970-01-01', recorded_at,
  array_send(array_replace("values", null, -9223372036854775808)),
  array_send(array_replace(quality, null, -1::smallint))
from (
  select asked.k, d.day, d.recorded_at, d."values", d.quality
  from asked
  join reading_day d on d.channel_id = asked.channel and d.day between asked.first and asked.last
    and d.recorded_at <= asked.pin
  union all
  select asked.k, h.day, h.recorded_at, h."values", h.quality
  from asked
  join reading_day_history h on h.channel_id = asked.channel
    and h.day between asked.first and asked.last
    and h.recorded_at <= asked.pin and h.superseded_at > asked.pin
) as blocks

-- name: csv_mapping_get
-- A mapping.
select document
from csv_mapping
where organization_id = current_setting('energia.organization')::int and id = %s

-- name: csv_mapping_list
-- A page of mappings after an id, in the order of its bytes.
select document
from csv_mapping
where organization_id = current_setting('energia.organization')::int and id > %s
order by id
limit %s

-- name: csv_mapping_put
-- Make a mapping or replace it; true if it was made.
insert into csv_mapping (organization_id, id, document)
values (current_setting('energia.organization')::int, %s, %s)
on conflict (organization_id, id) do update set document = excluded.document
returning xmax = 0

-- name: csv_mapping_delete
-- Delete a mapping.
delete from csv_mapping
where organization_id = current_setting('energia.organization')::int and id = %s
