-- The channels of some meters, as a function: the server plans it once in a session, where to plan takes
-- longer than to find the channels of a few meters, and almost as long as to find those of a thousand.

-- The channels of some meters, in the order in which they were declared; before when their readings were
-- deleted, in seconds since 1970-01-01, and the day before which days may be in the archive, since then.
--
-- To hold them is to let no other writer of readings have them until the transaction ends. They are held
-- in the order of their numbers, so that two imports never wait for each other; and then they are read,
-- by a statement of its own: what the first has waited for may have been a deletion.
create function energia_channels_of(meters text[], hold boolean default false) returns table (
  id bigint, meter_id text, name text, quantity text, direction text, unit text,
  interval_seconds int, offset_seconds int, kind text, digits int, multiplier numeric,
  max_power numeric, by_days boolean, deleted_before bigint, archived_before int
)
-- By their indexes, whatever the tables had in them when it was planned.
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if hold then
    perform from channel c
    where c.organization_id = current_setting('energia.organization')::int
      and c.meter_id = any(meters)
    order by c.id
    for no key update;
  end if;
  return query
  with deleted as materialized (
    select d.meter_id, extract(epoch from max(d.before_at))::bigint as before
    from deletion d
    where d.organization_id = current_setting('energia.organization')::int
      and (d.meter_id = any(meters) or d.meter_id is null)
    group by d.meter_id
  )
  select c.id, c.meter_id, c.name, c.quantity, c.direction, c.unit, c.interval_seconds,
    c.offset_seconds, c.kind, c.digits, c.multiplier, c.max_power, c.by_days,
    greatest(d.before, (select before from deleted where deleted.meter_id is null)),
    (
      select a.before_day - date '1970-01-01' from archive_extent a
      where a.organization_id = current_setting('energia.organization')::int)
  from channel c
  left join deleted d on d.meter_id = c.meter_id
  where c.organization_id = current_setting('energia.organization')::int
    and c.meter_id = any(meters)
  order by c.meter_id, c.position;
end
$$;
