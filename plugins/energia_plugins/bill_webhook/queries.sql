-- name: first
-- When the plugin was first configured, asked of every organization.
select min(since) from bill_webhook_since

-- name: begin
-- Note when the plugin was first configured.
insert into bill_webhook_since (organization_id, since)
values (current_setting('energia.organization')::int, %s)
on conflict do nothing

-- name: find
-- Take up issued bills, those included that a crash left.
insert into bill_webhook_delivery (organization_id, bill_id, made_at, next_at)
select b.organization_id, b.id, %(now)s, %(now)s
from bill b
join bill_webhook_since s on s.organization_id = b.organization_id and b.issued_at >= s.since
where b.organization_id = current_setting('energia.organization')::int
  and b.issued_at >= %(after)s
  and not exists (
    select from bill_webhook_delivery d
    where d.organization_id = b.organization_id and d.bill_id = b.id)
on conflict do nothing

-- name: take_up
-- The deliveries for which no task waits yet, and when each is due.
update bill_webhook_delivery set is_deferred = true
where organization_id = current_setting('energia.organization')::int
  and delivered_at is null and failed_at is null and not is_deferred
returning bill_id, next_at

-- name: due
-- A delivery that is neither taken nor given up.
select d.tries, d.next_at, d.made_at, b.id, b.contract_id, b.meter_id, b.tariff_id, b.start_day,
  b.end_day, b.document ->> 'currency', b.document ->> 'total', b.corrects, b.issued_at, o.name
from bill_webhook_delivery d
join bill b on b.organization_id = d.organization_id and b.id = d.bill_id
join organization o on o.id = d.organization_id
where d.organization_id = current_setting('energia.organization')::int and d.bill_id = %s
  and d.delivered_at is null and d.failed_at is null

-- name: leave
-- Leave a delivery to whom has a receiver.
update bill_webhook_delivery set is_deferred = false
where organization_id = current_setting('energia.organization')::int and bill_id = %s

-- name: delivered
-- A delivery was taken.
update bill_webhook_delivery set delivered_at = %(now)s, tries = tries + 1, last_error = null
where organization_id = current_setting('energia.organization')::int and bill_id = %(bill)s

-- name: failed
-- A delivery was not taken: it is tried again, or given up.
update bill_webhook_delivery set next_at = %(next)s, tries = tries + 1, failed_at = %(failed)s,
  last_error = %(error)s
where organization_id = current_setting('energia.organization')::int and bill_id = %(bill)s

-- name: note
-- Note how the last try went; how the one before did.
with before as (
  select organization_id, error
  from bill_webhook_since
  where organization_id = current_setting('energia.organization')::int
  for update
)
update bill_webhook_since s set error = %(error)s,
  succeeded_at = coalesce(%(succeeded)s, succeeded_at)
from before
where s.organization_id = before.organization_id
returning before.error

-- name: state
-- How many deliveries wait, when one was last taken, and why the last try was in vain, if it was.
select (
  select count(*)::int from bill_webhook_delivery where delivered_at is null and failed_at is null
), max(succeeded_at), max(error)
from bill_webhook_since
