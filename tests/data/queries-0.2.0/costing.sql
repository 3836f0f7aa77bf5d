-- name: meter_zone_and_channels
-- The zone of a meter's site, with each of its channels as declared; one row with
-- nulls for none. Last, before when its readings were deleted.
select s.timezone, c.id, c.meter_id, c.name, c.quantity, c.direction, c.unit, c.interval_seconds,
  c.offset_seconds, c.kind, c.digits, c.multiplier, c.max_power, c.by_days, (
    select extract(epoch from max(d.before_at))::bigint
    from deletion d
    where d.organization_id = m.organization_id and (d.meter_id = m.id or d.meter_id is null))
from meter m
join site s on s.organization_id = m.organization_id and s.id = m.site_id
left join channel c on c.organization_id = m.organization_id and c.meter_id = m.id
where m.organization_id = current_setting('energia.organization')::int and m.id = %s
order by c.position
