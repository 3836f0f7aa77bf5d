-- name: price_series_put
-- Make a price series or replace what is said of it, unless it has prices of another currency; true
-- if it was made.
insert into price_series (organization_id, id, currency, unit, interval_seconds, timezone)
values (current_setting('energia.organization')::int, %(id)s, %(currency)s, %(unit)s,
  %(interval)s, %(timezone)s)
on conflict (organization_id, id) do update set
  currency = excluded.currency, unit = excluded.unit,
  interval_seconds = excluded.interval_seconds, timezone = excluded.timezone
where price_series.revised_at is null or (price_series.currency = excluded.currency
  and (price_series.unit = 'm3') = (excluded.unit = 'm3'))
returning xmax = 0

-- name: price_series_get
-- Some price series, with what is known of their prices and of the feed that fills each.
select s.id, s.currency, s.unit, s.interval_seconds, s.timezone, s.revised_at, p.horizon,
  f.name, f.succeeded_at, f.next_update, f.error
from price_series s
left join lateral (
  select end_at as horizon
  from price
  where organization_id = s.organization_id and series_id = s.id and superseded_at is null
  order by start_at desc
  limit 1) p on true
left join lateral (
  select name, succeeded_at, next_update, error
  from price_feed
  where organization_id = s.organization_id and series_id = s.id
  order by name
  limit 1) f on true
where s.organization_id = current_setting('energia.organization')::int and s.id = any (%s)

-- name: price_series_list
-- The ids of a page of price series after an id.
select id
from price_series
where organization_id = current_setting('energia.organization')::int and id > %s
order by id
limit %s

-- name: price_series_billed
-- An issued bill by a price series, if there is one.
select id
from bill
where organization_id = current_setting('energia.organization')::int
  and price_series @> array[%s::text] and status <> 'draft'
limit 1

-- name: price_series_delete
-- Delete a price series with its prices; a feed that fills it makes it anew.
with gone as (
  delete from price
  where organization_id = current_setting('energia.organization')::int and series_id = %(id)s
), fed as (
  delete from price_feed
  where organization_id = current_setting('energia.organization')::int and series_id = %(id)s
)
delete from price_series
where organization_id = current_setting('energia.organization')::int and id = %(id)s

-- name: price_lock
-- Hold a price series against other writers.
select currency, unit, interval_seconds
from price_series
where organization_id = current_setting('energia.organization')::int and id = %s
for no key update

-- name: price_current
-- The prices in part of a time that are in force. Instants are worked out before the join: below a
-- row policy only what is leakproof, such as their comparison, may look rows up by the index.
with s as materialized (
  select organization_id, id,
    to_timestamp(%(start)s) - make_interval(secs => longest) as first
  from price_series
  where organization_id = current_setting('energia.organization')::int and id = %(id)s
)
select extract(epoch from p.start_at)::bigint, extract(epoch from p.end_at)::bigint, p.price
from s
join price p on p.organization_id = s.organization_id and p.series_id = s.id
  and p.superseded_at is null
  and p.start_at < to_timestamp(%(end)s) and p.end_at > to_timestamp(%(start)s)
  and p.start_at > s.first
order by p.start_at

-- name: price_write
-- Put prices into the place of others; the series is held. All are of one revision.
with revision as (
  update price_series
  set revised_at = greatest(clock_timestamp(), revised_at + interval '1 microsecond'),
    longest = greatest(longest, %(longest)s)
  where organization_id = current_setting('energia.organization')::int and id = %(id)s
  returning organization_id, id, revised_at
), gone as (
  update price p set superseded_at = r.revised_at
  from revision r
  where p.organization_id = r.organization_id and p.series_id = r.id
    and p.superseded_at is null
    and p.start_at = any (select to_timestamp(at) from unnest(%(gone)s::bigint[]) as old (at))
), added as (
  insert into price (organization_id, series_id, start_at, end_at, price, recorded_at)
  select r.organization_id, r.id, to_timestamp(one.start_at), to_timestamp(one.end_at), one.price,
    r.revised_at
  from revision r, unnest(%(starts)s::bigint[], %(ends)s::bigint[], %(prices)s::numeric[])
    as one (start_at, end_at, price)
)
select revised_at from revision

-- name: price_read
-- Prices in part of each of some times: those in force, or that were known at an instant.
with asked as materialized (
  select k::int, s.organization_id, s.id, s.currency, s.unit, known_at,
    to_timestamp(start_at) - make_interval(secs => s.longest) as first,
    to_timestamp(start_at) as start_at, to_timestamp(end_at) as end_at
  from unnest(%(series)s::text[], %(starts)s::bigint[], %(ends)s::bigint[],
    %(known)s::timestamptz[]) with ordinality as asked (series, start_at, end_at, known_at, k)
  join price_series s on s.organization_id = current_setting('energia.organization')::int
    and s.id = asked.series
)
select asked.k, asked.id, asked.currency, asked.unit, p.starts, p.ends, p.prices, p.recorded_at
from asked
join lateral (
  select array_agg(extract(epoch from start_at)::bigint order by start_at) as starts,
    array_agg(extract(epoch from end_at)::bigint order by start_at) as ends,
    string_agg(price::text, ' ' order by start_at) as prices, max(recorded_at) as recorded_at
  from price
  where organization_id = asked.organization_id and series_id = asked.id
    and start_at < asked.end_at and end_at > asked.start_at and start_at > asked.first
    and (asked.known_at is null or recorded_at <= asked.known_at)
    and (superseded_at is null or superseded_at > asked.known_at)) p on true
order by asked.k

-- name: price_feed_begin
-- Make a feed known, and the series that it fills.
with series as (
  insert into price_series (organization_id, id, currency, unit, interval_seconds, timezone)
  values (current_setting('energia.organization')::int, %(id)s, %(currency)s, %(unit)s,
    %(interval)s, %(timezone)s)
  on conflict do nothing
)
insert into price_feed (organization_id, name, series_id, due_at)
values (current_setting('energia.organization')::int, %(name)s, %(id)s, %(now)s)
on conflict (organization_id, name) do update set series_id = excluded.series_id

-- name: price_feed_claim
-- Take a feed that is due, which no other replica then fetches for a while.
update price_feed set due_at = %(until)s, tries = tries + 1
where organization_id = current_setting('energia.organization')::int and name = %(name)s
  and due_at <= %(now)s
returning tries, memo, (
  select max(end_at) from (
    select end_at from price
    where organization_id = price_feed.organization_id and series_id = price_feed.series_id
      and superseded_at is null
    order by start_at desc limit 1) newest)

-- name: price_feed_due
-- When a feed is due.
select due_at
from price_feed
where organization_id = current_setting('energia.organization')::int and name = %s

-- name: price_feed_fetched
-- A feed gave what it has.
update price_feed set due_at = %(due)s, tries = 0, succeeded_at = %(now)s,
  next_update = %(next)s, error = null, memo = %(memo)s::json
where organization_id = current_setting('energia.organization')::int and name = %(name)s

-- name: price_feed_failed
-- A feed failed: when to try again.
update price_feed set due_at = %(due)s, error = %(error)s
where organization_id = current_setting('energia.organization')::int and name = %(name)s

-- name: price_feed_get
-- How a feed is doing: for the organization for which it does worst.
select series_id, tries, succeeded_at, next_update, error
from price_feed
where name = %s
order by error is null, succeeded_at
limit 1
