-- name: webhook_list
-- Some webhooks: one by its id, or a page after an id.
select w.id, w.url, w.events, w.description, w.is_active, w.problem, w.created_at, w.succeeded_at,
  w.failures, w.quiet_until, (
    select count(*)::int
    from webhook_delivery d
    where d.organization_id = w.organization_id and d.webhook_id = w.id and d.status = 'waiting')
from webhook w
where w.organization_id = current_setting('energia.organization')::int
  and (%(id)s::text is null or w.id = %(id)s) and w.id > %(after)s
order by w.id
limit %(limit)s

-- name: webhook_add
-- Make a webhook.
insert into webhook (organization_id, id, url, events, description, is_active, secret)
values (current_setting('energia.organization')::int, %(id)s, %(url)s, %(events)s, %(description)s,
  %(active)s, %(secret)s)

-- name: webhook_put
-- Replace what is said of a webhook; a receiver that was left alone is asked again.
update webhook set url = %(url)s, events = %(events)s, description = %(description)s,
  is_active = %(active)s, problem = null, failures = 0, quiet_until = null
where organization_id = current_setting('energia.organization')::int and id = %(id)s

-- name: webhook_delete
-- Delete a webhook with its deliveries.
delete from webhook
where organization_id = current_setting('energia.organization')::int and id = %s

-- name: webhook_rotate
-- Give a webhook another secret.
update webhook set former_secret = secret,
  former_until = clock_timestamp() + make_interval(secs => %(grace)s), secret = %(secret)s
where organization_id = current_setting('energia.organization')::int and id = %(id)s

-- name: webhook_test
-- Tell a webhook alone of a test.
select energia_webhook_tell('webhook.test', json_build_object('webhook', %(id)s::text), %(id)s)

-- name: webhook_wanted
-- The organizations that want to be told of something, and since when.
select organization_id, min(created_at)
from webhook
where is_active and %s = any(events)
group by organization_id
order by organization_id

-- name: webhook_state
-- How many deliveries wait, of how many webhooks the last try was in vain, and how many were
-- switched off by themselves.
select
  (select count(*)::int from webhook_delivery where status = 'waiting'),
  (select count(*)::int from webhook where is_active and failures > 0),
  (select count(*)::int from webhook where problem is not null)

-- name: delivery_list
-- Some deliveries of a webhook: one by its id, or a page before an id, the newest first.
select d.event_id, e.type, d.status, d.created_at, d.tries, d.next_at, d.outcomes, e.body
from webhook_delivery d
join webhook_event e on e.organization_id = d.organization_id and e.id = d.event_id
where d.organization_id = current_setting('energia.organization')::int
  and d.webhook_id = %(webhook)s and (%(id)s::text is null or d.event_id = %(id)s)
  and (%(status)s::text is null or d.status = %(status)s)
  and (%(before)s::text is null or d.event_id < %(before)s)
order by d.event_id desc
limit %(limit)s

-- name: delivery_resend
-- Begin a delivery anew, whatever became of it; how often it was tried.
update webhook_delivery set status = 'waiting', failures = 0, begun_at = clock_timestamp(),
  next_at = clock_timestamp()
where organization_id = current_setting('energia.organization')::int
  and webhook_id = %(webhook)s and event_id = %(id)s
returning tries

-- name: delivery_due
-- What is to be sent, unless it was sent meanwhile.
select w.url, w.secret,
  case when w.former_until > clock_timestamp() then w.former_secret end,
  w.is_active, w.failures, w.quiet_until, e.type, e.body, d.tries, d.failures, d.begun_at
from webhook_delivery d
join webhook w on w.organization_id = d.organization_id and w.id = d.webhook_id
join webhook_event e on e.organization_id = d.organization_id and e.id = d.event_id
where d.organization_id = current_setting('energia.organization')::int
  and d.webhook_id = %(webhook)s and d.event_id = %(event)s and d.tries = %(tries)s
  and d.status = 'waiting'

-- name: delivery_tried
-- Note what became of a try, the last fifty of them; no row if another try was noted meanwhile.
update webhook_delivery set status = %(status)s, tries = tries + %(tried)s::int, next_at = %(next)s,
  failures = failures + %(failed)s::int,
  outcomes = case when jsonb_array_length(outcomes) < 50 then outcomes else outcomes - 0 end
    || %(outcome)s::jsonb
where organization_id = current_setting('energia.organization')::int
  and webhook_id = %(webhook)s and event_id = %(event)s and tries = %(tries)s
  and status = 'waiting'
returning true

-- name: delivery_put_off
-- Try a delivery later, without a try.
update webhook_delivery set next_at = %(next)s
where organization_id = current_setting('energia.organization')::int
  and webhook_id = %(webhook)s and event_id = %(event)s and tries = %(tries)s
  and status = 'waiting'
returning true

-- name: webhook_answered
-- A receiver has taken something.
update webhook set failures = 0, quiet_until = null, succeeded_at = %(now)s
where organization_id = current_setting('energia.organization')::int and id = %(webhook)s

-- name: webhook_failed
-- A receiver has taken nothing, and is left alone for a while.
update webhook set failures = failures + 1,
  quiet_until = greatest(quiet_until, %(quiet)s)
where organization_id = current_setting('energia.organization')::int and id = %(webhook)s

-- name: webhook_gone
-- A receiver wants nothing any more: nothing is told it, and nothing is tried again.
update webhook set is_active = false, problem = %(problem)s
where organization_id = current_setting('energia.organization')::int and id = %(webhook)s
  and is_active;
update webhook_delivery set status = 'given_up', next_at = null
where organization_id = current_setting('energia.organization')::int
  and webhook_id = %(webhook)s and event_id <> %(event)s and status = 'waiting'

-- name: webhook_expire
-- Let events go that are older than they are kept, with their deliveries, unless one still waits.
delete from webhook_event e
where created_at < clock_timestamp() - make_interval(secs => %(retention)s)
  and not exists (
    select from webhook_delivery d
    where d.organization_id = e.organization_id and d.event_id = e.id and d.status = 'waiting')

-- name: finding_list
-- What was found before.
select subject, cause
from webhook_finding
where organization_id = current_setting('energia.organization')::int and type = %s

-- name: finding_put
-- Keep what is found, forget what is not found any more, and tell of what is new.
delete from webhook_finding
where organization_id = current_setting('energia.organization')::int and type = %(type)s
  and subject = any(%(gone)s);
insert into webhook_finding (organization_id, type, subject, cause)
select current_setting('energia.organization')::int, %(type)s, subject, cause
from unnest(%(subjects)s::text[], %(causes)s::text[]) as found (subject, cause)
on conflict (organization_id, type, subject) do update set cause = excluded.cause;
select energia_webhook_tell(%(type)s, told::json)
from unnest(%(told)s::text[]) told

-- name: stale_feeds
-- How the feeds of an organization are doing.
select name, series_id, next_update, succeeded_at, error
from price_feed
where organization_id = current_setting('energia.organization')::int
order by name

-- name: ending_contracts
-- The contracts that end within so many days, each in the zone of its site.
select c.id, c.meter_id, c.tariff_id, c.end_day
from contract c
join meter m on m.organization_id = c.organization_id and m.id = c.meter_id
join site s on s.organization_id = m.organization_id and s.id = m.site_id
where c.organization_id = current_setting('energia.organization')::int
  and c.end_day >= (%(now)s at time zone s.timezone)::date
  and c.end_day <= (%(now)s at time zone s.timezone)::date + %(days)s
order by c.id
