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

-- name: meter_with_channels
-- One meter, with an array of what was declared of each of its channels: to describe a column takes
-- the driver longer than to read one.
select m.id, m.site_id, m.name, m.serial, (
  select json_agg(json_build_array(c.name, c.quantity, c.direction, c.unit,
    case when not c.by_days then c.interval_seconds end,
    case when not c.by_days then c.offset_seconds end,
    c.kind, c.digits, c.multiplier::text, c.max_power::text) order by c.position)
  from channel c
  where c.organization_id = m.organization_id and c.meter_id = m.id
)
from meter m
where m.organization_id = current_setting('energia.organization')::int and m.id = %s

-- name: meter_list
-- A page of meters after an id; those of a site, where one is named, and those that are called by a
-- text, where one is given.
select id, site_id, name, serial
from meter
where organization_id = current_setting('energia.organization')::int and id > %(after)s
  and (%(site)s::text is null or site_id = %(site)s)
  and (%(search)s::text is null
    or position(lower(%(search)s) in lower(concat_ws(E'\n', id, name, serial))) > 0)
order by id
limit %(limit)s

-- name: meter_zones
-- The meters at a site, or some meters, each with its time zone.
select m.id, s.timezone
from meter m
join site s on s.organization_id = m.organization_id and s.id = m.site_id
where m.organization_id = current_setting('energia.organization')::int
  and (%(site)s::text is null or m.site_id = %(site)s)
  and (%(meters)s::text[] is null or m.id = any(%(meters)s))
order by m.id

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

-- name: meter_empty
-- Take from a meter what it is called.
update meter set name = null, serial = null
where organization_id = current_setting('energia.organization')::int and id = %s

-- name: channels_of
-- The channels of some meters, in the order in which they were declared; before when their readings
-- were deleted, and the day before which days may be in the archive.
select * from energia_channels_of(%(meters)s::text[])

-- name: meter_channels
-- The channels of one meter, as `channels_of` gives them, each after the time zone of the meter's
-- site; a row without a channel where it has none.
select s.timezone, c.id, c.meter_id, c.name, c.quantity, c.direction, c.unit, c.interval_seconds,
  c.offset_seconds, c.kind, c.digits, c.multiplier, c.max_power, c.by_days,
  (select extract(epoch from max(before_at))::bigint from deletion
   where organization_id = current_setting('energia.organization')::int
     and (meter_id = m.id or meter_id is null)),
  (
    select before_day - date '1970-01-01' from archive_extent
    where organization_id = current_setting('energia.organization')::int)
from meter m
join site s on s.organization_id = m.organization_id and s.id = m.site_id
left join channel c on c.organization_id = m.organization_id and c.meter_id = m.id
where m.organization_id = current_setting('energia.organization')::int and m.id = %s
order by c.position

-- name: meter_again
-- The channels of a meter, as `meter_channels` gives them; and of one of them that it is expected to
-- have, in a range of days, how many blocks are of the versions that are at hand, and when the newest
-- of their revisions was recorded. It is prepared: so the days are dates, which a plan looks for.
select s.timezone, c.id, c.meter_id, c.name, c.quantity, c.direction, c.unit, c.interval_seconds,
  c.offset_seconds, c.kind, c.digits, c.multiplier, c.max_power, c.by_days,
  (select extract(epoch from max(before_at))::bigint from deletion
   where organization_id = current_setting('energia.organization')::int
     and (meter_id = m.id or meter_id is null)),
  (
    select before_day - date '1970-01-01' from archive_extent
    where organization_id = current_setting('energia.organization')::int),
  same.blocks, same.newest
from meter m
join site s on s.organization_id = m.organization_id and s.id = m.site_id
left join channel c on c.organization_id = m.organization_id and c.meter_id = m.id
cross join (
  select count(*) as blocks, max(d.recorded_at) as newest
  from reading_day d
  where d.channel_id = %(channel)s and d.day between %(first)s and %(last)s
    and d.xmin = (%(versions)s::xid[])[d.day - %(first)s + 1]
    and pg_postmaster_start_time() = %(server)s::timestamptz
) same
where m.organization_id = current_setting('energia.organization')::int and m.id = %(meter)s
order by c.position

-- name: channels_lock
-- The channels of some meters, held for a change.
select id, meter_id, name, quantity, direction, unit, interval_seconds, offset_seconds, kind,
  digits, multiplier, max_power, by_days
from channel
where organization_id = current_setting('energia.organization')::int and meter_id = any(%s)
order by id
for update

-- name: channels_hold
-- The same, held against other writers of readings until the transaction ends.
select * from energia_channels_of(%(meters)s::text[], true)

-- name: channels_hold_on_node
-- Hold some channels, all of one shard, on the node that has it.
select count(pg_advisory_xact_lock(c.channel))
from unnest(%(channels)s::bigint[]) as c (channel)
left join (
  select 1 from reading_day d where d.channel_id = any(%(channels)s::bigint[]) limit 0) d on true

-- name: channels_with_readings
-- Those of some channels that have readings.
select c.channel
from unnest(%(channels)s::bigint[]) as c (channel)
where exists (select from reading_day d where d.channel_id = c.channel)
  or exists (select from reading_archive a where a.channel_id = c.channel)
  or exists (select from register_read r where r.channel_id = c.channel)
  or exists (select from stretch s where s.channel_id = c.channel)

-- name: channel_put
-- Make a channel or replace it.
insert into channel (organization_id, meter_id, name, position, quantity, direction, unit,
  interval_seconds, offset_seconds, kind, digits, multiplier, max_power, by_days)
values (current_setting('energia.organization')::int, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
  %s, %s)
on conflict (organization_id, meter_id, name) do update set
  position = excluded.position, quantity = excluded.quantity, direction = excluded.direction,
  unit = excluded.unit, interval_seconds = excluded.interval_seconds,
  offset_seconds = excluded.offset_seconds, kind = excluded.kind, digits = excluded.digits,
  multiplier = excluded.multiplier, max_power = excluded.max_power, by_days = excluded.by_days

-- name: channel_delete
-- Delete some channels.
delete from channel
where organization_id = current_setting('energia.organization')::int and id = any(%s)

-- name: import_number
-- The number of a new import.
select nextval(pg_get_serial_sequence('import', 'id'))

-- name: import_begin
-- The channels of the meters that it names, held as by `channels_hold`, with the number after each of
-- them; once after nulls where there is none.
select c.*, number
from (select nextval(pg_get_serial_sequence('import', 'id')) as number) n
left join energia_channels_of(%(meters)s::text[], true) c on true

-- name: import_add
-- Keep the outcome of an import, and tell of it who wants to know, if it has changed anything.
insert into import (id, organization_id, public_id, format, sha256, counts, problems, meters)
overriding system value
values (%s, current_setting('energia.organization')::int, %s, %s, %s, %s::json, %s::json, %s);
select energia_webhook_tell('readings.imported', %s::json)

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

-- name: import_list_of
-- Of so many imports before an id, the newest first, those that name a meter.
select public_id, format, sha256, recorded_at, counts, '[]'::json
from (
  select public_id, format, sha256, recorded_at, counts, meters
  from import
  where organization_id = current_setting('energia.organization')::int
    and (%(before)s::text is null or public_id < %(before)s)
  order by public_id desc
  limit %(looked_at)s
) as looked_at
where %(meter)s = any(meters)
order by public_id desc
limit %(limit)s

-- name: import_after
-- The last of so many imports before an id, the newest first; none if there are fewer.
select public_id
from import
where organization_id = current_setting('energia.organization')::int
  and (%(before)s::text is null or public_id < %(before)s)
order by public_id desc
limit 1 offset %(looked_at)s - 1

-- name: blocks_read
-- The time, whether blocks are to be written narrow, and the blocks that exist among those asked for:
-- their numbers, revisions, values and qualities, as `blocks_now` gives them; nulls where there is none.
-- The days are worked out before the join: below a row policy only what is leakproof, such as the
-- comparison of two dates, may look rows up by the index; a sum of a date and a number is not. How long
-- the arrays are is kept from the planner, as in `slots_fill`: to read all blocks of a small table takes
-- twice as long as to look a year of them up.
with t as materialized (select clock_timestamp() as now),
b as materialized (
  select channel, date '1970-01-01' + day as day, k
  from unnest((select %(channels)s::bigint[]), (select %(days)s::int[]))
    with ordinality as b (channel, day, k)
)
select t.now, energia_blocks_narrow(), x.* from t cross join (
  select array_to_string(array_agg(k), ',') as positions,
    array_to_string(array_agg(revision), ',') as revisions,
    string_agg(narrow, '') as narrow,
    string_agg(array_to_string("values", ',', '-9223372036854775808'), ',') as "values",
    string_agg(coalesce(array_to_string(quality, ',', '-1'), ''), ';') as quality
  from (
    select b.k, d.revision, d.narrow, d."values", d.quality
    from b join reading_day d on d.channel_id = b.channel and d.day = b.day
    order by d.narrow is null, b.k) as sorted
) x

-- name: blocks_write
-- Put blocks: a new one (revision 0 is stored), in place, or with the stored one kept in history.
-- How many were put; fewer than asked for means that someone else wrote meanwhile, as it does that a new
-- one is there already. To insert without looking whether it is takes a third less to write down.
-- The values of all blocks come together, in one of the two forms; the other is null. An array has no
-- nulls in it: of those, to cut a block out would count all that are before it.
with b as materialized (
  select channel, date '1970-01-01' + day as day,
    substr(decode(%(narrow)s, 'base64'), (k::int - 1) * 4 * %(width)s + 1, 4 * %(width)s) as narrow,
    array_replace((%(values)s::bigint[])[(k::int - 1) * %(width)s + 1:k::int * %(width)s],
      '-9223372036854775808'::bigint, null) as slots,
    quality::smallint[] as quality, revision, keep
  from unnest(%(channels)s::bigint[], %(days)s::int[], %(quality)s::text[], %(revisions)s::int[],
    %(keep)s::bool[]) with ordinality as b (channel, day, quality, revision, keep, k)
), h as (
  insert into reading_day_history (organization_id, channel_id, day, narrow, "values", quality,
    revision, import_id, recorded_at, published_at, superseded_at, superseded_by)
  select d.organization_id, d.channel_id, d.day, d.narrow, d."values", d.quality, d.revision,
    d.import_id, d.recorded_at, d.published_at, %(now)s::timestamptz, %(import)s
  from b join reading_day d on d.channel_id = b.channel and d.day = b.day
    and d.revision = b.revision
  where b.keep
), u as (
  update reading_day d set narrow = b.narrow, "values" = b.slots, quality = b.quality,
    revision = b.revision + b.keep::int, import_id = %(import)s,
    recorded_at = case when b.keep then %(now)s::timestamptz else d.recorded_at end
  from b
  where b.revision > 0 and d.channel_id = b.channel and d.day = b.day and d.revision = b.revision
  returning 1
), i as (
  insert into reading_day (organization_id, channel_id, day, narrow, "values", quality, revision,
    import_id, recorded_at)
  select current_setting('energia.organization')::int, channel, day, narrow, slots, quality, 1,
    %(import)s, %(now)s::timestamptz
  from b
  where revision = 0
  returning 1
)
select (select count(*) from u) + (select count(*) from i)

-- name: slots_fill
-- Put one actual value into each of many narrow blocks, where that fills a slot of a live day: nothing
-- of it, and nothing later, is there.
-- How long the arrays are is kept from the planner: each block is found by the index, then, where it
-- would rather read all blocks of a small table. The days are worked out before the join (`offset 0`),
-- as in `blocks_read`.
update reading_day x set
  narrow = overlay(x.narrow placing int4send(b.value) from 4 * b.slot - 3),
  quality = case when x.quality is not null
    then x.quality[:b.slot - 1] || 1::smallint || x.quality[b.slot + 1:] end,
  import_id = %(import)s
from (
  select channel, date '1970-01-01' + day as day, slot, value
  from unnest((select %(channels)s::bigint[]), (select %(days)s::int[]), (select %(slots)s::int[]),
    (select %(values)s::int[])) as b (channel, day, slot, value)
  offset 0
) as b
where x.channel_id = b.channel and x.day = b.day
  and substr(x.narrow, 4 * b.slot - 3) = substr(decode(%(empty)s, 'base64'), 4 * b.slot - 3)

-- name: slots_filled
-- The numbers of those of many blocks that an import was the last to put, with commas between them.
select array_to_string(array_agg(b.number), ',')
from (
  select channel, date '1970-01-01' + day as day, number
  from unnest((select %(channels)s::bigint[]), (select %(days)s::int[]))
    with ordinality as b (channel, day, number)
  offset 0
) as b
join reading_day x on x.channel_id = b.channel and x.day = b.day
where x.import_id = %(import)s

-- name: slots_write
-- Put one actual value into each of many blocks; the rules are those of merge.py.
-- How many slots were created, unchanged, corrected; their sum is short if someone else wrote.
with t as materialized (select clock_timestamp() as now),
b as materialized (
  select channel, date '1970-01-01' + day as day, slot, value, live
  from unnest(%(channels)s::bigint[], %(days)s::int[], %(slots)s::int[], %(values)s::bigint[],
    %(live)s::bool[]) as b (channel, day, slot, value, live)
), x as materialized (
  select b.channel, b.day, b.slot, b.value, b.live, d.revision, d.quality,
    energia_slot(d.narrow, d."values", b.slot) as old,
    case when d.narrow is null then num_nonnulls(variadic d."values"[b.slot:]) > 0
      else substr(d.narrow, 4 * b.slot - 3) <> substr(decode(%(empty)s, 'base64'), 4 * b.slot - 3)
      end as later
  from b join reading_day d on d.channel_id = b.channel and d.day = b.day
), o as materialized (
  select channel, day, slot, value, revision, old,
    old = value and coalesce(quality[slot], 1) = 1 as same, later or not live as keep
  from x
), h as (
  insert into reading_day_history (organization_id, channel_id, day, narrow, "values", quality,
    revision, import_id, recorded_at, published_at, superseded_at, superseded_by)
  select d.organization_id, d.channel_id, d.day, d.narrow, d."values", d.quality, d.revision,
    d.import_id, d.recorded_at, d.published_at, t.now, %(import)s
  from t, o join reading_day d on d.channel_id = o.channel and d.day = o.day
    and d.revision = o.revision
  where o.keep and o.same is not true
), u as (
  update reading_day x set
    narrow = overlay(x.narrow placing int4send(o.value::int) from 4 * o.slot - 3),
    "values" = case when x."values" is not null
      then x."values"[:o.slot - 1] || o.value || x."values"[o.slot + 1:] end,
    quality = case when x.quality is not null
      then x.quality[:o.slot - 1] || 1::smallint || x.quality[o.slot + 1:] end,
    revision = x.revision + o.keep::int, import_id = %(import)s,
    recorded_at = case when o.keep then t.now else x.recorded_at end
  from o, t
  where x.channel_id = o.channel and x.day = o.day and x.revision = o.revision
    and o.same is not true
  returning o.old is null as created
), i as (
  insert into reading_day (organization_id, channel_id, day, narrow, "values", revision, import_id,
    recorded_at)
  select current_setting('energia.organization')::int, b.channel, b.day,
    case when energia_blocks_narrow()
      then overlay(decode(%(empty)s, 'base64') placing int4send(b.value::int) from 4 * b.slot - 3) end,
    case when not energia_blocks_narrow()
      then array_fill(null::bigint, array[b.slot - 1]) || b.value
        || array_fill(null::bigint, array[%(width)s - b.slot]) end,
    1, %(import)s, t.now
  from b, t
  where not exists (select from o where o.channel = b.channel and o.day = b.day)
  returning 1
)
select (select count(*) from u where created) + (select count(*) from i),
  (select count(*) from o where same),
  (select count(*) from u where not created)

-- name: channel_days
-- The first and the last day on the grid of a channel of which something is stored.
select min(first) - date '1970-01-01', max(last) - date '1970-01-01'
from (
  select min(day) as first, max(day) as last from reading_day where channel_id = %(channel)s
  union all
  select min(first_day), max(last_day) from reading_archive where channel_id = %(channel)s) as days
having min(first) is not null

-- name: blocks_now
-- The blocks of some channels, each in its range of days, as they are now: their days, versions, values
-- one after the other, and their qualities, which most do not have. A row for each range with any.
-- First are those that are narrow, of which the bytes are given, then the others, whose values are.
--
-- Of the days from the first one on, who asks may have copies (`Copies`): of which versions, as the
-- server knew them that has run since an instant. Those that are still these are named, and left out.
--
-- And a row for each pack of the archive that has some of the days: its first day, its numbers and
-- qualities, how many micro-units each number counts, and the dates of its days, or one for all.
-- It is one statement, as days may go there, and come back, at any time.
--
-- Gathered by the server: one row of a year is read in a fraction of the time that 365 take. Arrays as
-- text: eight digits are less to send than the bytes of a bigint in hexadecimal.
with asked as materialized (
  select channel, date '1970-01-01' + first as first, date '1970-01-01' + last as last,
    date '1970-01-01' + first - 30 as early,
    case when current_setting('synchronous_commit') <> 'off' then pg_postmaster_start_time() end
      as server,
    case when server = pg_postmaster_start_time() then versions::xid[] end as versions, k
  from unnest(%(channels)s::bigint[], %(first)s::int[], %(last)s::int[],
    %(servers)s::timestamptz[], %(versions)s::text[], %(numbers)s::int[])
    as asked (channel, first, last, server, versions, k)
)
select asked.k, b.days, b.recorded_at, b.narrow, b."values", b.quality, null::bigint as unit,
  null::timestamptz[] as dates, b.same, b.versions, asked.server
from asked cross join lateral (
  select array_to_string(array_agg(x.day - date '1970-01-01') filter (where not x.same), ',') as days,
    max(x.recorded_at) as recorded_at,
    string_agg(x.narrow, '') filter (where not x.same) as narrow,
    string_agg(array_to_string(x."values", ',', '-9223372036854775808'), ',')
      filter (where not x.same) as "values",
    string_agg(coalesce(array_to_string(x.quality, ',', '-1'), ''), ';')
      filter (where not x.same) as quality,
    array_to_string(array_agg(x.day - date '1970-01-01') filter (where x.same), ',') as same,
    array_to_string(array_agg(x.version) filter (where not x.same), ',') as versions
  from (
    select d.day, d.recorded_at, d.narrow, d."values", d.quality, d.xmin as version,
      coalesce(d.xmin = asked.versions[d.day - asked.first + 1], false) as same
    from reading_day d
    where d.channel_id = asked.channel and d.day between asked.first and asked.last
    order by d.narrow is null, d.day
  ) x
) b
where b.recorded_at is not null
union all
select asked.k, (a.first_day - date '1970-01-01')::text, null, null,
  coalesce(array_to_string(a.narrow, ',', '-9223372036854775808'),
    array_to_string(a.wide, ',', '-9223372036854775808')),
  coalesce(array_to_string(a.quality, ',', '-1'), ''), a.unit, a.recorded_at, null, null, null
from asked
join reading_archive a on a.channel_id = asked.channel
  and a.first_day between asked.early and asked.last and a.last_day >= asked.first

-- name: blocks_of_channel
-- The blocks of one channel in a range of days, and the packs that have some of them, as `blocks_now`
-- gives them. It is prepared: so the days are dates, which a plan looks for.
select 1, b.days, b.recorded_at, b.narrow, b."values", b.quality, null::bigint as unit,
  null::timestamptz[] as dates, b.same, b.versions,
  case when current_setting('synchronous_commit') <> 'off' then pg_postmaster_start_time() end
from (
  select array_to_string(array_agg(x.day - date '1970-01-01') filter (where not x.same), ',') as days,
    max(x.recorded_at) as recorded_at,
    string_agg(x.narrow, '') filter (where not x.same) as narrow,
    string_agg(array_to_string(x."values", ',', '-9223372036854775808'), ',')
      filter (where not x.same) as "values",
    string_agg(coalesce(array_to_string(x.quality, ',', '-1'), ''), ';')
      filter (where not x.same) as quality,
    array_to_string(array_agg(x.day - date '1970-01-01') filter (where x.same), ',') as same,
    array_to_string(array_agg(x.version) filter (where not x.same), ',') as versions
  from (
    select d.day, d.recorded_at, d.narrow, d."values", d.quality, d.xmin as version,
      coalesce(d.xmin = (%(versions)s::xid[])[d.day - %(first)s::date + 1]
        and pg_postmaster_start_time() = %(server)s::timestamptz, false) as same
    from reading_day d
    where d.channel_id = %(channel)s and d.day between %(first)s::date and %(last)s::date
    order by d.narrow is null, d.day
  ) x
) b
where b.recorded_at is not null
union all
select 1, (a.first_day - date '1970-01-01')::text, null, null,
  coalesce(array_to_string(a.narrow, ',', '-9223372036854775808'),
    array_to_string(a.wide, ',', '-9223372036854775808')),
  coalesce(array_to_string(a.quality, ',', '-1'), ''), a.unit, a.recorded_at, null, null, null
from reading_archive a
where a.channel_id = %(channel)s
  and a.first_day between %(first)s::date - 30 and %(last)s::date and a.last_day >= %(first)s::date

-- name: blocks_same
-- How many of the blocks of a channel, in a range of days, are of the versions that are at hand of each
-- day, and when the newest of their revisions was recorded. To plan it takes a third of what it takes to plan
-- `blocks_of_channel`, which is prepared only outside of transactions.
select count(*), max(d.recorded_at)
from reading_day d
where d.channel_id = %(channel)s
  and d.day between date '1970-01-01' + %(first)s and date '1970-01-01' + %(last)s
  and d.xmin = (%(versions)s::xid[])[d.day - date '1970-01-01' - %(first)s + 1]
  and pg_postmaster_start_time() = %(server)s::timestamptz

-- name: blocks_at
-- The blocks of some channels, each in its range of days, as they were current at an instant; given
-- as `blocks_now` gives them.
with asked as materialized (
  select channel, date '1970-01-01' + first as first, date '1970-01-01' + last as last,
    date '1970-01-01' + first - 30 as early, pin, k
  from unnest(%(channels)s::bigint[], %(first)s::int[], %(last)s::int[], %(pins)s::timestamptz[],
    %(numbers)s::int[]) as asked (channel, first, last, pin, k)
)
select asked.k, b.*, null::bigint as unit, null::timestamptz[] as dates
from asked cross join lateral (
  select array_to_string(array_agg(x.day - date '1970-01-01'), ',') as days,
    max(x.recorded_at) as recorded_at,
    string_agg(x.narrow, '') as narrow,
    string_agg(array_to_string(x."values", ',', '-9223372036854775808'), ',') as "values",
    string_agg(coalesce(array_to_string(x.quality, ',', '-1'), ''), ';') as quality
  from (
    select d.day, d.recorded_at, d.narrow, d."values", d.quality, d.narrow is null as is_wide
    from reading_day d
    where d.channel_id = asked.channel and d.day between asked.first and asked.last
      and d.recorded_at <= asked.pin
    union all
    select h.day, h.recorded_at, h.narrow, h."values", h.quality, h.narrow is null
    from reading_day_history h
    where h.channel_id = asked.channel and h.day between asked.first and asked.last
      and h.recorded_at <= asked.pin and h.superseded_at > asked.pin
    order by is_wide, day
  ) x
) b
where b.days is not null
union all
select asked.k, (a.first_day - date '1970-01-01')::text, null, null,
  coalesce(array_to_string(a.narrow, ',', '-9223372036854775808'),
    array_to_string(a.wide, ',', '-9223372036854775808')),
  coalesce(array_to_string(a.quality, ',', '-1'), ''), a.unit, a.recorded_at
from asked
join reading_archive a on a.channel_id = asked.channel
  and a.first_day between asked.early and asked.last and a.last_day >= asked.first
  and asked.pin >= any(a.recorded_at)

-- name: blocks_revised
-- The numbers of those of some channels that have a newer revision of what begins in a range of days
-- than one that was seen, or than none at all.
-- The instants are worked out before the joins, so that the index finds them (`blocks_read` says why).
with asked as materialized (
  select channel, coalesce(pin, '-infinity') as pin, date '1970-01-01' + first as first,
    date '1970-01-01' + last as last,
    date '1970-01-01' + first - 30 as early,
    (date '1970-01-01' + first)::timestamp at time zone 'UTC' as first_at,
    (date '1970-01-01' + last + 1)::timestamp at time zone 'UTC' as past, k
  from unnest(%(channels)s::bigint[], %(first)s::int[], %(last)s::int[], %(pins)s::timestamptz[],
    %(numbers)s::int[]) as asked (channel, first, last, pin, k)
)
select asked.k
from asked
where exists (
  select from reading_day d
  where d.channel_id = asked.channel and d.day between asked.first and asked.last
    and d.recorded_at > asked.pin)
or exists (
  select from reading_day_archived a
  where a.channel_id = asked.channel and a.pack between asked.early and asked.last
    and a.day between asked.first and asked.last and a.recorded_at > asked.pin)
or exists (
  select from register_read r
  where r.channel_id = asked.channel and r.read_at >= asked.first_at and r.read_at < asked.past
    and r.recorded_at > asked.pin)
or exists (
  select from stretch s
  where s.channel_id = asked.channel and s.end_at > asked.first_at and s.start_at < asked.past
    and s.recorded_at > asked.pin)

-- name: channels_newest
-- When the newest reading ends of each of some channels that have any.
select k, at
from unnest(%(channels)s::bigint[], %(offsets)s::int[], %(intervals)s::int[], %(numbers)s::int[])
  as c (channel, shift, seconds, k)
cross join lateral (
  select greatest(
    (
      select d.day::timestamp at time zone 'UTC' + make_interval(secs => c.shift
        + c.seconds * (
          select max(slot)
          from unnest(energia_slots(d.narrow, d."values")) with ordinality as u (value, slot)
          where value is not null))
      from reading_day d
      where d.channel_id = c.channel
      order by d.day desc
      limit 1),
    (
      select max(r.read_at) from register_read r
      where r.channel_id = c.channel and r.superseded_at is null),
    (
      select max(s.end_at) from stretch s
      where s.channel_id = c.channel and s.value is not null and s.superseded_at is null)) as at
) as newest
where at is not null

-- name: corrections
-- The blocks of a channel, in a range of days, that imports before one have replaced, the newest of
-- so many imports first: what each was, and what has come in its place. There are as few imports as
-- have so many blocks together, but one at least; `more` tells whether others come after one.
with replaced as materialized (
  -- By what it was replaced is looked up only where it is not said: it was not, once.
  select h.day, h.revision, h.superseded_at, coalesce(h.superseded_by, (
    select import_id from reading_day d
    where d.channel_id = %(channel)s and d.day = h.day and d.revision = h.revision + 1
    union all
    select import_id from reading_day_archived a
    where a.channel_id = %(channel)s and a.pack between h.day - 30 and h.day and a.day = h.day
      and a.revision = h.revision + 1
    union all
    select import_id from reading_day_history l
    where l.channel_id = %(channel)s and l.day = h.day and l.revision = h.revision + 1
    limit 1)) as number
  from reading_day_history h
  where h.channel_id = %(channel)s and h.day between %(first)s::date and %(last)s::date
), latest as materialized (
  select *
  from (
    select *, dense_rank() over imports as place, count(*) over imports as blocks,
      min(number) over () < number as more
    from replaced
    where number is not null and (%(before)s::bigint = 0 or number < %(before)s)
    window imports as (order by number desc)) ranked
  where place <= %(limit)s and (place = 1 or blocks <= %(blocks)s)
)
select r.number, r.day - date '1970-01-01', r.superseded_at, r.more,
  array_send(array_replace(o."values", null, -9223372036854775808)),
  array_send(array_replace(o.quality, null, -1::smallint)),
  array_send(array_replace(n."values", null, -9223372036854775808)),
  array_send(array_replace(n.quality, null, -1::smallint))
from latest r
cross join lateral (
  select energia_slots(h.narrow, h."values") as "values", h.quality from reading_day_history h
  where h.channel_id = %(channel)s and h.day = r.day and h.revision = r.revision
  limit 1) o
cross join lateral (
  select energia_slots(d.narrow, d."values") as "values", d.quality from reading_day d
  where d.channel_id = %(channel)s and d.day = r.day and d.revision = r.revision + 1
  union all
  select a."values", a.quality from reading_day_archived a
  where a.channel_id = %(channel)s and a.pack between r.day - 30 and r.day and a.day = r.day
    and a.revision = r.revision + 1
  union all
  select energia_slots(l.narrow, l."values"), l.quality from reading_day_history l
  where l.channel_id = %(channel)s and l.day = r.day and l.revision = r.revision + 1
  limit 1) n
order by r.number desc, r.day

-- name: import_origins
-- What some imports came as, and who has sent them.
select id, public_id, format, caller, caller_name
from import
where organization_id = current_setting('energia.organization')::int and id = any(%s)

-- name: channels_stored
-- When the first reading of each of some channels begins, and the newest one ends; channels without
-- any are left out. Of registers it is when they were read.
select c.channel, least(
    (select d.day::timestamp at time zone 'UTC'
        + make_interval(secs => c.shift + (s.slot - 1) * c.seconds)
      from reading_day d
      cross join lateral unnest(energia_slots(d.narrow, d."values"))
        with ordinality as s (value, slot)
      where d.channel_id = c.channel and s.value is not null
      order by d.day, s.slot limit 1),
    (select a.first_day::timestamp at time zone 'UTC'
        + make_interval(secs => c.shift + (s.slot - 1) * c.seconds)
      from reading_archive a
      cross join lateral (
        select min(slot) as slot
        from unnest(coalesce(a.wide, a.narrow::bigint[])) with ordinality as s (value, slot)
        where value is not null) as s
      where a.channel_id = c.channel and s.slot is not null
      order by a.first_day limit 1),
    (select min(read_at) from register_read r
      where r.channel_id = c.channel and r.superseded_at is null and r.value is not null),
    (select min(start_at) from stretch s
      where s.channel_id = c.channel and s.superseded_at is null and s.value is not null)) as first,
  greatest(
    (select d.day::timestamp at time zone 'UTC'
        + make_interval(secs => c.shift + s.slot * c.seconds)
      from reading_day d
      cross join lateral unnest(energia_slots(d.narrow, d."values"))
        with ordinality as s (value, slot)
      where d.channel_id = c.channel and s.value is not null
      order by d.day desc, s.slot desc limit 1),
    (select max(read_at) from register_read r
      where r.channel_id = c.channel and r.superseded_at is null and r.value is not null),
    (select max(end_at) from stretch s
      where s.channel_id = c.channel and s.superseded_at is null and s.value is not null)) as last
from unnest(%(channels)s::bigint[], %(offsets)s::int[], %(intervals)s::int[])
  as c (channel, shift, seconds)

-- name: blocks_delete
-- Delete the blocks of some channels before a day of each, and of that day the slots before one; what
-- follows stays in its revision. How many values there were, and the imports that had brought them.
with c as materialized (
  select channel, date '1970-01-01' + day as day, slot
  from unnest(%(channels)s::bigint[], %(days)s::int[], %(slots)s::int[]) as c (channel, day, slot)
), x as materialized (
  select c.channel, d.day, c.slot, energia_slots(d.narrow, d."values") as slots, d.quality
  from c join reading_day d on d.channel_id = c.channel and d.day = c.day
  where c.slot > 0
), cut as materialized (
  select channel, day, slot, slots[:slot] as gone, slots[slot + 1:] as kept,
    quality[slot + 1:] as quality,
    cardinality(array_remove(slots[slot + 1:], null)) = 0
      and coalesce(cardinality(array_remove(quality[slot + 1:], null)), 0) = 0 as is_empty
  from x
), d as (
  delete from reading_day d
  using c
  where d.channel_id = c.channel and (d.day < c.day or d.day = c.day and exists (
    select from cut where cut.channel = d.channel_id and cut.is_empty))
  returning d.import_id, energia_slots(d.narrow, d."values") as gone
), u as (
  update reading_day d set narrow = null,
    "values" = array_fill(null::bigint, array[cut.slot]) || cut.kept,
    quality = case when d.quality is not null
      then array_fill(null::smallint, array[cut.slot]) || cut.quality end
  from cut
  where not cut.is_empty and d.channel_id = cut.channel and d.day = cut.day
  returning d.import_id, cut.gone
), gone as (
  select import_id, gone from d union all select import_id, gone from u
)
select coalesce(sum(cardinality(array_remove(gone, null))), 0)::bigint,
  coalesce(array_agg(distinct import_id), '{}')
from gone

-- name: archive_delete
-- The same of the packs that end before a day of each channel.
with c as materialized (
  select channel, date '1970-01-01' + day as day
  from unnest(%(channels)s::bigint[], %(days)s::int[]) as c (channel, day)
), gone as (
  delete from reading_archive a
  using c
  where a.channel_id = c.channel and a.last_day < c.day
  returning cardinality(array_remove(coalesce(a.wide, a.narrow::bigint[]), null)) as readings,
    a.import_ids
)
select coalesce(sum(readings), 0)::bigint, coalesce(
  (select array_agg(distinct import_id) from gone, unnest(import_ids) as import_id), '{}')
from gone

-- name: archive_extend
-- Let days before one be in the archive, from the next lock of any channel on.
insert into archive_extent (organization_id, before_day)
values (current_setting('energia.organization')::int, date '1970-01-01' + %s)
on conflict (organization_id) do update set
  before_day = greatest(archive_extent.before_day, excluded.before_day)

-- name: archive_hold
-- Hold channels against other writers of readings until the transaction ends.
select id from channel
where organization_id = current_setting('energia.organization')::int and id = any(%(channels)s)
order by id
for no key update

-- name: archive_take
-- Hold a channel in the same way, and tell how many slots a day has; no row if somebody else holds it.
select 86400 / interval_seconds from channel
where organization_id = current_setting('energia.organization')::int and id = %(channel)s
for no key update skip locked

-- name: archive_due
-- Of some channels what may go to the archive, of the days since one and before another: the first day,
-- and the one past the last. The month of the newest value stays, so that who looks for that need not
-- look into the archive.
with due as materialized (
  select c.channel,
    (
      select d.day from reading_day d
      where d.channel_id = c.channel and d.day >= date '1970-01-01' + %(since)s
      order by d.day limit 1) as first,
    least(date '1970-01-01' + %(before)s, (
      select date_trunc('month', d.day)::date from reading_day d
      where d.channel_id = c.channel
        and cardinality(array_remove(energia_slots(d.narrow, d."values"), null)) > 0
      order by d.day desc limit 1)) as past
  from unnest(%(channels)s::bigint[]) as c (channel)
)
select channel, first - date '1970-01-01', past - date '1970-01-01'
from due
where first < past
order by channel

-- name: archive_size
-- How many days of some channels, between two days of each, may go to the archive.
select count(*)
from unnest(%(channels)s::bigint[], %(first)s::int[], %(past)s::int[]) as c (channel, first, past)
join reading_day d on d.channel_id = c.channel and d.day >= date '1970-01-01' + c.first
  and d.day < date '1970-01-01' + c.past

-- name: archive_blocks
-- The blocks of a channel from one day to before another.
select day - date '1970-01-01',
  array_send(array_replace(energia_slots(narrow, "values"), null, -9223372036854775808)),
  array_send(array_replace(quality, null, -1::smallint))
from reading_day
where channel_id = %(channel)s and day >= date '1970-01-01' + %(first)s
  and day < date '1970-01-01' + %(past)s
order by day

-- name: archive_put
-- Put packs of a channel beside the blocks that they are made of, whose dates and origins they take;
-- their organization, too: a node of a cluster that reads the blocks does not know who asks.
insert into reading_archive (organization_id, channel_id, first_day, last_day, width, unit, narrow,
  wide, quality, revisions, import_ids, recorded_at, published_at)
select b.organization, %(channel)s, p.first, p.last, %(width)s, p.unit, p.narrow::smallint[],
  p.wide::bigint[], p.quality::smallint[], b.revisions, b.import_ids, b.recorded_at, b.published_at
from (
  select date '1970-01-01' + first as first, date '1970-01-01' + last as last, unit, narrow, wide,
    quality
  from unnest(%(first)s::int[], %(last)s::int[], %(units)s::bigint[], %(narrow)s::text[],
    %(wide)s::text[], %(quality)s::text[]) as p (first, last, unit, narrow, wide, quality)) as p
cross join lateral (
  select min(organization_id) as organization,
    case when min(revision) = max(revision) then array[min(revision)]
      else array_agg(revision order by day) end as revisions,
    case when min(import_id) = max(import_id) then array[min(import_id)]
      else array_agg(import_id order by day) end as import_ids,
    case when min(recorded_at) = max(recorded_at) then array[min(recorded_at)]
      else array_agg(recorded_at order by day) end as recorded_at,
    case when count(published_at) > 0 then array_agg(published_at order by day) end as published_at
  from reading_day
  where channel_id = %(channel)s and day between p.first and p.last) as b

-- name: archive_clear
-- Delete the blocks of a channel, from one day to before another, of which the archive has each part;
-- how many they are.
with a as materialized (
  select * from reading_day_archived
  where channel_id = %(channel)s and pack >= date '1970-01-01' + %(first)s
    and pack < date '1970-01-01' + %(past)s
), d as (
  delete from reading_day d
  using a
  where d.channel_id = %(channel)s and d.day = a.day
    and energia_slots(d.narrow, d."values") = a."values"
    and d.revision = a.revision and d.import_id = a.import_id and d.recorded_at = a.recorded_at
    and d.published_at is not distinct from a.published_at
    and (d.quality is not distinct from a.quality or d.quality = coalesce(a.quality, (
      select array_agg(case when value is not null then 1::smallint end order by slot)
      from unnest(energia_slots(d.narrow, d."values")) with ordinality as s (value, slot))))
  returning 1
)
select count(*) from d

-- name: archive_restore
-- Bring months of channels back from the archive; how many days. They are read before they are deleted:
-- a node of a cluster does one after the other, and then would find nothing.
with asked as materialized (
  select channel, date '1970-01-01' + month as first,
    (date '1970-01-01' + month + interval '1 month')::date as past
  from unnest(%(channels)s::bigint[], %(months)s::int[]) as asked (channel, month)
), days as materialized (
  select a.*, case when energia_blocks_narrow() then energia_narrow(a."values") end as narrow
  from asked
  join reading_day_archived a on a.channel_id = asked.channel and a.pack >= asked.first
    and a.pack < asked.past
), packs as (
  delete from reading_archive a
  using asked
  where a.channel_id = asked.channel and a.first_day >= asked.first and a.first_day < asked.past
), d as (
  insert into reading_day (organization_id, channel_id, day, narrow, "values", quality, revision,
    import_id, recorded_at, published_at)
  select organization_id, channel_id, day, narrow, case when narrow is null then "values" end,
    quality, revision, import_id, recorded_at, published_at
  from days
  returning 1
)
select count(*) from d

-- name: archive_months
-- Which months of some channels have days in the archive.
select distinct a.channel_id, date_trunc('month', a.first_day)::date - date '1970-01-01'
from reading_archive a
where a.channel_id = any(%(channels)s)
order by 1, 2

-- name: history_delete
-- The same of all their revisions.
with c as materialized (
  select channel, date '1970-01-01' + day as day, slot
  from unnest(%(channels)s::bigint[], %(days)s::int[], %(slots)s::int[]) as c (channel, day, slot)
), d as (
  delete from reading_day_history d
  using c
  where d.channel_id = c.channel and d.day < c.day
)
update reading_day_history d set narrow = null,
  "values" = array_fill(null::bigint, array[c.slot])
    || (energia_slots(d.narrow, d."values"))[c.slot + 1:],
  quality = case when d.quality is not null
    then array_fill(null::smallint, array[c.slot]) || d.quality[c.slot + 1:] end
from c
where c.slot > 0 and d.channel_id = c.channel and d.day = c.day

-- name: reads_delete
-- Delete the reads and stretches of some channels before an instant, and when their readings were
-- published. What reaches past it stays: a stretch, and the last read, if others follow from which it
-- is counted. How many current ones there were, and the imports that had brought them.
with c as materialized (
  select channel, (
      select max(read_at)
      from register_read r
      where r.channel_id = c.channel and read_at < %(before)s and superseded_at is null
        and exists (
          select from register_read l
          where l.channel_id = c.channel and l.read_at >= %(before)s
            and l.superseded_at is null)) as last
  from unnest(%(channels)s::bigint[]) as c (channel)
), r as (
  delete from register_read
  using c
  where channel_id = c.channel and read_at < %(before)s and read_at is distinct from last
  returning import_id, superseded_at
), s as (
  delete from stretch
  where channel_id = any(%(channels)s) and end_at <= %(before)s
  returning import_id, case when value is null then '-infinity' else superseded_at end
), p as (
  delete from publication where channel_id = any(%(channels)s) and start_at < %(before)s
), gone (import_id, superseded_at) as (
  select import_id, superseded_at from r union all select * from s
)
select count(*) filter (where superseded_at is null), coalesce(array_agg(distinct import_id), '{}')
from gone

-- name: limits_lift
-- Let a transaction of a limited caller see all rows of its organization.
select set_config('energia.limited', current_setting('energia.limits', true), true),
  set_config('energia.limits', '', true)

-- name: limits_hold
-- Hold it to its limits again.
select set_config('energia.limits', coalesce(current_setting('energia.limited', true), ''), true)

-- name: import_forget
-- Forget the problems of imports that may quote values of a meter: those that name it, and those that
-- brought what is deleted, of which releases before did not keep which meters they named.
update import set problems = '[]', meters = array_remove(meters, %(meter)s)
where organization_id = current_setting('energia.organization')::int
  and (meters is not null and %(meter)s = any(meters)
    or meters is null and id = any(%(imports)s::bigint[]))

-- name: deletion_add
-- Remember a deletion.
insert into deletion (organization_id, meter_id, before_at, caller, reason, readings)
values (current_setting('energia.organization')::int, %(meter)s, %(before)s, %(caller)s,
  %(reason)s, %(readings)s)
returning id, meter_id, before_at, deleted_at, caller, reason, readings

-- name: deletion_list
-- A page of deletions after a number: of a meter those of all meters as well.
select id, meter_id, before_at, deleted_at, caller, reason, readings
from deletion
where organization_id = current_setting('energia.organization')::int and id > %(after)s
  and (%(meter)s::text is null or meter_id is null or meter_id = %(meter)s)
order by id
limit %(limit)s

-- name: retention_get
-- Before when nothing is kept of any meter.
select before_at
from deletion
where organization_id = current_setting('energia.organization')::int and meter_id is null

-- name: retention_put
-- Move that on; replicas that do so at the same time count what each has deleted.
insert into deletion (organization_id, before_at, caller, reason, readings)
values (current_setting('energia.organization')::int, %(before)s, %(caller)s, %(reason)s,
  %(readings)s)
on conflict (organization_id) where meter_id is null do update set
  before_at = greatest(deletion.before_at, excluded.before_at), deleted_at = clock_timestamp(),
  reason = excluded.reason, readings = deletion.readings + excluded.readings

-- name: import_expire
-- Forget the problems of imports before a moment: what they quote is older than that.
update import set problems = '[]'
where organization_id = current_setting('energia.organization')::int
  and recorded_at < %(before)s and problems::text <> '[]'

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

-- name: reads_at
-- The time, and the current reads among those asked for; call it while their channels are held.
with t as materialized (select clock_timestamp() as now),
b as materialized (
  select channel, instant, kind, k
  from unnest(%(channels)s::bigint[], %(instants)s::timestamptz[], %(kinds)s::text[],
    %(numbers)s::int[]) as b (channel, instant, kind, k)
)
select t.now, b.k, r.value, r.quality, r.equipment, r.import_id
from t left join (
  b join register_read r on r.channel_id = b.channel and r.read_at = b.instant
    and r.kind = b.kind and r.superseded_at is null
) on true

-- name: reads_supersede
-- End the current reads of some instants.
update register_read r set superseded_at = %(now)s::timestamptz
from unnest(%(channels)s::bigint[], %(instants)s::timestamptz[], %(kinds)s::text[])
  as b (channel, instant, kind)
where r.channel_id = b.channel and r.read_at = b.instant and r.kind = b.kind
  and r.superseded_at is null

-- name: reads_insert
-- Put reads, of which none is current; the meter that was said before stays.
insert into register_read (organization_id, channel_id, read_at, kind, value, quality, equipment,
  import_id, recorded_at)
select current_setting('energia.organization')::int, channel, instant, kind, value, quality,
  equipment, %(import)s, %(now)s::timestamptz
from unnest(%(channels)s::bigint[], %(instants)s::timestamptz[], %(kinds)s::text[],
  %(values)s::numeric[], %(quality)s::smallint[], %(equipment)s::text[])
  as b (channel, instant, kind, value, quality, equipment)

-- name: reads_of
-- The reads of some registers in their windows and beyond them: two hundred before, by which a fall
-- is judged, and six after, by which the one after the window is. Where it goes by days, those of the
-- day on which what reaches into the window begins, and of the day on which it ends, as well.
with asked as materialized (
  select channel, first, past + margin as past, margin, pin, k
  from unnest(%(channels)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[],
    %(margins)s::interval[], %(pins)s::timestamptz[], %(numbers)s::int[])
    as asked (channel, first, past, margin, pin, k)
), reach as materialized (
  select asked.*,
    coalesce((
      select least(min(b.read_at), max(b.read_at) - asked.margin) from (
        select read_at from register_read r
        where r.channel_id = asked.channel and r.read_at < asked.first
          and case when %(now)s then r.superseded_at is null
            else r.recorded_at <= asked.pin and coalesce(r.superseded_at, 'infinity') > asked.pin end
        order by read_at desc limit 200) as b), asked.first) as since,
    coalesce((
      select max(a.read_at) from (
        select read_at from register_read r
        where r.channel_id = asked.channel and r.read_at >= asked.past
          and case when %(now)s then r.superseded_at is null
            else r.recorded_at <= asked.pin and coalesce(r.superseded_at, 'infinity') > asked.pin end
        order by read_at limit 6) as a), asked.past) as until
  from asked
)
select reach.k, extract(epoch from r.read_at)::bigint, r.value, r.quality, r.kind, r.equipment,
  r.recorded_at
from reach
join register_read r on r.channel_id = reach.channel
  and r.read_at between reach.since and reach.until
where case when %(now)s then r.superseded_at is null
  else r.recorded_at <= reach.pin and coalesce(r.superseded_at, 'infinity') > reach.pin end

-- name: stretches_at
-- The time, and the current stretches that overlap those asked for, with the first of each.
with t as materialized (select clock_timestamp() as now),
b as materialized (
  select channel, first, past, k
  from unnest(%(channels)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[],
    %(numbers)s::int[]) as b (channel, first, past, k)
)
select t.now, s.k, s.first, s.past, s.value, s.quality, s.import_id
from t left join (
  select distinct on (b.k) b.k, extract(epoch from s.start_at)::bigint as first,
    extract(epoch from s.end_at)::bigint as past, s.value, s.quality, s.import_id
  from b join stretch s on s.channel_id = b.channel and s.superseded_at is null
    and s.start_at < b.past and s.end_at > b.first and s.quality >= 0
  order by b.k, s.start_at = b.first and s.end_at = b.past, s.start_at
) s on true

-- name: stretches_supersede
-- End the current stretches that begin at some instants.
update stretch s set superseded_at = %(now)s::timestamptz
from unnest(%(channels)s::bigint[], %(starts)s::timestamptz[]) as b (channel, first)
where s.channel_id = b.channel and s.start_at = b.first and s.superseded_at is null

-- name: stretches_insert
-- Put stretches, of which none is current.
insert into stretch (organization_id, channel_id, start_at, end_at, value, quality, import_id,
  recorded_at)
select current_setting('energia.organization')::int, channel, first, past, value, quality,
  %(import)s, %(now)s::timestamptz
from unnest(%(channels)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[],
  %(values)s::bigint[], %(quality)s::smallint[]) as b (channel, first, past, value, quality)

-- name: stretches_of
-- The stretches of some channels that reach into their windows, or are of the days at the ends of what
-- reaches into them.
with asked as materialized (
  select channel, coalesce((
      select max(s.start_at) from stretch s
      where s.channel_id = a.channel and s.start_at < first), first) - margin as first,
    past + margin as past, pin, k
  from unnest(%(channels)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[],
    %(margins)s::interval[], %(pins)s::timestamptz[], %(numbers)s::int[])
    as a (channel, first, past, margin, pin, k)
)
select asked.k, extract(epoch from s.start_at)::bigint, extract(epoch from s.end_at)::bigint,
  s.value, s.quality, s.recorded_at
from asked
join stretch s on s.channel_id = asked.channel and s.start_at < asked.past
  and s.end_at > asked.first
where case when %(now)s then s.superseded_at is null
  else s.recorded_at <= asked.pin and coalesce(s.superseded_at, 'infinity') > asked.pin end
order by asked.k, s.start_at

-- name: zones_of_channels
-- The time zones of the sites at which some channels are.
select c.id, s.timezone
from channel c
join meter m on m.organization_id = c.organization_id and m.id = c.meter_id
join site s on s.organization_id = m.organization_id and s.id = m.site_id
where c.organization_id = current_setting('energia.organization')::int and c.id = any(%s)

-- name: publications_put
-- Note when some runs were published; the numbers, from 1, of those that were published again since.
-- A run comes once.
with sent as materialized (
  select channel, first, published, k
  from unnest(%(channels)s::bigint[], %(starts)s::timestamptz[], %(published)s::timestamptz[],
    %(numbers)s::int[]) as sent (channel, first, published, k)
), put as (
  insert into publication (organization_id, channel_id, start_at, published_at)
  select current_setting('energia.organization')::int, channel, first, published
  from sent
  on conflict (channel_id, start_at) do update set published_at = excluded.published_at
  where publication.published_at < excluded.published_at
)
select k
from sent
join publication p on p.channel_id = sent.channel and p.start_at = sent.first
where p.published_at > sent.published

-- name: source_begin
-- Make the row of a source, unless there is one.
insert into source (organization_id, name)
values (current_setting('energia.organization')::int, %(name)s)
on conflict do nothing

-- name: source_take
-- Take a source that no process runs, for so many seconds by the clock of the database.
update source
set holder = %(holder)s, held_until = clock_timestamp() + make_interval(secs => %(lease)s),
  connected = false, error = null
where organization_id = current_setting('energia.organization')::int and name = %(name)s
  and (held_until < clock_timestamp() or holder = %(holder)s)
returning received_at

-- name: source_state
-- What a source has saved.
select name, value
from source_state
where organization_id = current_setting('energia.organization')::int and source = %(name)s

-- name: source_save
-- Save what a source says, by name; what it does not name stays.
insert into source_state (organization_id, source, name, value)
select current_setting('energia.organization')::int, %(name)s, one.name, one.value::json
from unnest(%(names)s::text[], %(values)s::text[]) as one (name, value)
on conflict (organization_id, source, name) do update set value = excluded.value

-- name: source_forget
-- Forget what a source has saved under some names.
delete from source_state
where organization_id = current_setting('energia.organization')::int and source = %(name)s
  and name = any(%(names)s)

-- name: source_renew
-- Run a source for longer, and tell how it is doing; nothing, if another process has taken it.
update source
set held_until = clock_timestamp() + make_interval(secs => %(lease)s), connected = %(connected)s,
  error = %(error)s
where organization_id = current_setting('energia.organization')::int and name = %(name)s
  and holder = %(holder)s

-- name: source_release
-- Leave a source to whoever takes it next.
update source
set holder = null, held_until = '-infinity', connected = false
where organization_id = current_setting('energia.organization')::int and name = %(name)s
  and holder = %(holder)s

-- name: source_keep
-- Note that a source stores something; nothing, if another process has taken it.
update source
set received_at = case when %(received)s then clock_timestamp() else received_at end
where organization_id = current_setting('energia.organization')::int and name = %(name)s
  and holder = %(holder)s

-- name: source_get
-- How a source is doing, whichever process runs it.
select held_until > clock_timestamp(), connected, received_at, error
from source
where organization_id = current_setting('energia.organization')::int and name = %(name)s

-- name: imports_old
-- The numbers of the oldest imports of sources before a moment, beyond one; files have a checksum.
select id
from import
where organization_id = current_setting('energia.organization')::int and sha256 = ''
  and recorded_at < clock_timestamp() - make_interval(secs => %(retention)s) and id > %(after)s
order by id
limit %(limit)s

-- name: imports_used
-- Which imports between two numbers have brought something that some channels have, or had.
select import_id from reading_day
where channel_id = any(%(channels)s) and import_id between %(first)s and %(last)s
union
select import_id from reading_archive, unnest(import_ids) as import_id
where channel_id = any(%(channels)s) and import_id between %(first)s and %(last)s
union
select import_id from reading_day_history
where channel_id = any(%(channels)s) and import_id between %(first)s and %(last)s
union
select superseded_by from reading_day_history
where channel_id = any(%(channels)s) and superseded_by between %(first)s and %(last)s
union
select import_id from register_read
where channel_id = any(%(channels)s) and import_id between %(first)s and %(last)s
union
select import_id from stretch
where channel_id = any(%(channels)s) and import_id between %(first)s and %(last)s

-- name: imports_delete
-- Delete some imports.
delete from import
where organization_id = current_setting('energia.organization')::int and id = any(%s)
