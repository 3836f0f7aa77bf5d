-- Narrow blocks: four bytes a slot, which hold what most meters count in an interval (up to 2,147 kWh in
-- steps of a milliwatt-hour). The server reads and writes them as they are, where it takes an array digit
-- by digit; they are half as long. A block with a larger value keeps the array.

-- The view waits for who reads it. Given up before the server looks for a deadlock (1 s).
set local lock_timeout = '300ms';

-- The micro-units of each slot as int4, the first byte the highest; the smallest number stands for none.
alter table reading_day add column narrow bytea;
-- The release before, which expects an array, finds one as long as it may run: see below.
-- squawk-ignore ban-drop-not-null
alter table reading_day alter column "values" drop not null;
alter table reading_day
  add constraint reading_day_form check ((narrow is null) <> ("values" is null)) not valid;
alter table reading_day_history add column narrow bytea;
-- squawk-ignore ban-drop-not-null
alter table reading_day_history alter column "values" drop not null;
alter table reading_day_history
  add constraint reading_day_history_form check ((narrow is null) <> ("values" is null)) not valid;

-- Ten narrow blocks of 96 slots fit in a page, with room for seven more. A statement that puts values
-- into all of them, as each slot of a live day does, puts seven in place, without the index; the three
-- that go to another page are fewer each time, as a page with eight blocks has room for all of them.
alter table reading_day set (fillfactor = 60);

-- The micro-units of a slot of a block, whichever form that has; the first slot is 1.
create function energia_slot(narrow bytea, wide bigint[], slot int) returns bigint
language sql immutable parallel safe
return case when narrow is null then wide[slot] else nullif(
  (get_byte(narrow, 4 * slot - 4) << 24) | (get_byte(narrow, 4 * slot - 3) << 16)
    | (get_byte(narrow, 4 * slot - 2) << 8) | get_byte(narrow, 4 * slot - 1),
  -2147483648) end;

-- All of them. What is stored compressed is unpacked once (`||`), not for each byte.
create function energia_slots(narrow bytea, wide bigint[]) returns bigint[]
language sql immutable parallel safe
return case when narrow is null then wide else array(
  select energia_slot(b.plain, null, slot)
  from (select narrow || ''::bytea as plain offset 0) as b,
    generate_series(1, length(narrow) / 4) as slot) end;

-- The narrow form of the micro-units of a block; null if one of them does not fit.
create function energia_narrow(wide bigint[]) returns bytea
language sql immutable parallel safe
return case when 2147483647 >= all (wide) is not false and -2147483647 <= all (wide) is not false then (
  select string_agg(int4send(coalesce(value, -2147483648)::int), ''::bytea order by slot)
  from unnest(wide) with ordinality as s (value, slot)) end;

-- Whether blocks are written narrow. The release before reads arrays alone: where the database is not
-- of this minute, that may be running still, or have to come back, and it is so from a week after.
do $$
declare
  made constant timestamptz := (select min(applied_at) from schema_migration where owner = 'core');
begin
  execute format(
    'create function energia_blocks_narrow() returns boolean language sql stable parallel safe '
    'return now() >= %L::timestamptz',
    case when made > now() - interval '1 minute' then '-infinity' else now() + interval '7 days' end);
end
$$;

-- Readings as rows, those of the archive as well.
create or replace view reading with (security_invoker = true) as
select d.organization_id, c.meter_id as meter, c.name as channel,
  (d.day::timestamp at time zone 'UTC')
    + make_interval(secs => c.offset_seconds + (s.slot - 1) * c.interval_seconds) as start_at,
  s.value::numeric / 1000000 as value, c.unit,
  coalesce(d.quality[s.slot], 1) as quality
from reading_day d
join channel c on c.id = d.channel_id
cross join lateral unnest(energia_slots(d.narrow, d."values")) with ordinality as s(value, slot)
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
