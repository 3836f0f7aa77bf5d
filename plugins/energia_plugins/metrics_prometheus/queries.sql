-- name: channels
-- The channels after one, with what their classes are made of.
select id, quantity, direction, interval_seconds, offset_seconds
from channel
where id > %(after)s
order by id
limit %(limit)s

-- name: newest
-- The end of the newest reading of each class of some channels; one look at an index for each
-- channel, and at one array for each channel that has readings of the class's newest day.
with last as materialized (
  select c.class, c.seconds, c.shift, c.channel, d.day, max(d.day) over (partition by c.class) as newest
  from unnest(%(channels)s::bigint[], %(classes)s::int[], %(intervals)s::int[], %(offsets)s::int[])
    as c (channel, class, seconds, shift)
  cross join lateral (
    select day from reading_day r where r.channel_id = c.channel order by day desc limit 1) d
)
select l.class, max((l.day::timestamp at time zone 'UTC')
    + make_interval(secs => l.shift + s.filled * l.seconds))
from last l
join reading_day d on d.channel_id = l.channel and d.day = l.day
cross join lateral (
  select max(slot) as filled
  from unnest(energia_slots(d.narrow, d."values")) with ordinality as v (value, slot)
  where value is not null) s
where l.day = l.newest
group by 1
having max(s.filled) is not null

-- name: priced_until
-- The first day on which a contract goes on and its tariff has no prices.
select min(t.until)
from (
  select organization_id, tariff_id, max(valid_to) as until
  from tariff_version
  group by 1, 2
  having bool_and(valid_to is not null)) t
where exists (
  select from contract c
  where c.organization_id = t.organization_id and c.tariff_id = t.tariff_id
    and (c.end_day is null or c.end_day > t.until))

-- name: feeds
-- Some price feeds: when each last gave what it has, and when the last price of its series ends.
select f.name, f.succeeded_at, p.horizon
from price_feed f
left join lateral (
  select end_at as horizon
  from price
  where organization_id = f.organization_id and series_id = f.series_id and superseded_at is null
  order by start_at desc
  limit 1) p on true
where f.organization_id = current_setting('energia.organization')::int and f.name = any (%s)
order by f.name

-- name: applied
-- The migrations that this database has.
select owner, number, name from schema_migration order by owner, number

-- name: webhooks
-- How many deliveries wait, and of how many webhooks the receiver took nothing last.
select (select count(*)::int from webhook_delivery where status = 'waiting'),
  (select count(*)::int from webhook where is_active and failures > 0)

-- name: tasks
-- What is done beside requests, by what it does and how it stands; since when the oldest is due.
with counted as (
  select task_name, status, count(*) as tasks,
    min(scheduled_at) filter (where status = 'todo' and scheduled_at <= now()) as since,
    min(id) filter (where status = 'todo' and scheduled_at is null) as first
  from procrastinate_jobs
  group by task_name, status
)
select task_name, status::text, tasks, least(since, (
  select min(at) from procrastinate_events where job_id = counted.first and type = 'deferred'))
from counted
order by task_name, status
