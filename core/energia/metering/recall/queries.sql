-- What is asked again of a meter, in one statement where the first time takes two.

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
