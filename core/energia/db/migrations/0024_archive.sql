-- The archive: days beyond an age, up to a month of a channel in a row, in a few bytes a reading.

-- The view waits for who reads it. Given up before the server looks for a deadlock (1 s).
set local lock_timeout = '300ms';

-- A pack: consecutive days of a channel, each as its block was. Their slots follow each other, so that
-- slot i of the row starts at first_day + offset + i * interval. An array of one block's worth, such
-- as {1} for the revisions, stands for all of them. The server compresses what is long (pglz).
-- No foreign key and no sequence, channel_id first: the table distributes as `reading_day` does.
create table reading_archive (
  organization_id int not null,
  channel_id bigint not null,
  first_day date not null,
  last_day date not null,
  -- Slots in a day.
  width int not null,
  -- Micro-units; each value is so many of it: in `narrow` where all of them fit, else in `wide`.
  unit bigint not null,
  narrow smallint[],
  wide bigint[],
  -- Null where each slot with a value is actual, and of all others nothing was ever said.
  quality smallint[],
  revisions int[] not null,
  import_ids bigint[] not null,
  recorded_at timestamptz[] not null,
  published_at timestamptz[],
  primary key (channel_id, first_day),
  constraint reading_archive_days check (last_day between first_day and first_day + 30),
  constraint reading_archive_slots check ((narrow is null) <> (wide is null)
    and cardinality(coalesce(wide, narrow::bigint[])) = width * (last_day - first_day + 1))
);
call energia_row_security('reading_archive');

-- Of each organization the day from which on nothing is in the archive: who writes readings of a day
-- before it looks there first.
create table archive_extent (
  organization_id int primary key references organization,
  before_day date not null
);
call energia_row_security('archive_extent');

-- The blocks of the archive, as they were in `reading_day`. A condition on `pack`, the first day of the
-- row, is what finds them by the index: it lies up to 30 days before the day itself. The arrays are
-- worked out only where they are asked for.
create view reading_day_archived with (security_invoker = true) as
select a.organization_id, a.channel_id, a.first_day + k as day,
  (
    select array_agg(s.value * a.unit order by s.slot)
    from unnest(coalesce(a.wide[k * a.width + 1:(k + 1) * a.width],
      a.narrow[k * a.width + 1:(k + 1) * a.width]::bigint[])) with ordinality as s (value, slot)
  ) as "values",
  (
    select case when bool_or(s.quality <> 1) then array_agg(s.quality order by s.slot) end
    from unnest(a.quality[k * a.width + 1:(k + 1) * a.width])
      with ordinality as s (quality, slot)
  ) as quality,
  coalesce(a.revisions[k + 1], a.revisions[1]) as revision,
  coalesce(a.import_ids[k + 1], a.import_ids[1]) as import_id,
  coalesce(a.recorded_at[k + 1], a.recorded_at[1]) as recorded_at,
  a.published_at[k + 1] as published_at,
  a.first_day as pack
from reading_archive a
cross join lateral generate_series(0, a.last_day - a.first_day) as k;

-- Readings as rows, those of the archive as well.
create or replace view reading with (security_invoker = true) as
select d.organization_id, c.meter_id as meter, c.name as channel,
  (d.day::timestamp at time zone 'UTC')
    + make_interval(secs => c.offset_seconds + (s.slot - 1) * c.interval_seconds) as start_at,
  s.value::numeric / 1000000 as value, c.unit,
  coalesce(d.quality[s.slot], 1) as quality
from reading_day d
join channel c on c.id = d.channel_id
cross join lateral unnest(d."values") with ordinality as s(value, slot)
where s.value is not null
union all
select a.organization_id, c.meter_id, c.name,
  (a.first_day::timestamp at time zone 'UTC')
    + make_interval(secs => c.offset_seconds + (s.slot - 1) * c.interval_seconds),
  (s.value * a.unit)::numeric / 1000000, c.unit,
  coalesce(s.quality, 1)
from reading_archive a
join channel c on c.id = a.channel_id
cross join lateral unnest(coalesce(a.wide, a.narrow::bigint[]), a.quality)
  with ordinality as s(value, quality, slot)
where s.value is not null;
