-- name: first
-- When the plugin was first configured, asked of every organization.
select min(since) from bill_webhook_since

-- name: begin
-- Note when the plugin was first configured.
insert into bill_webhook_since (organization_id, since)
values (current_setting('energia.organization')::int, %s)
on conflict do nothing

-- name: find
-- Take up issued bills, those included that a crash or another replica left.
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

-- name: claim
-- Take deliveries that are due, which no other replica then sends for a while.
update bill_webhook_delivery d set next_at = %(until)s, tries = d.tries + 1
from (
  select organization_id, bill_id
  from bill_webhook_delivery
  where organization_id = current_setting('energia.organization')::int
    and delivered_at is null and failed_at is null and next_at <= %(now)s
  order by next_at
  limit %(limit)s
  for update skip locked) due, bill b, organization o
where d.organization_id = due.organization_id and d.bill_id = due.bill_id
  and o.id = due.organization_id and b.organization_id = due.organization_id and b.id = due.bill_id
returning d.tries, d.made_at, b.id, b.contract_id, b.meter_id, b.tariff_id, b.start_day, b.end_day,
  b.document ->> 'currency', b.document ->> 'total', b.corrects, b.issued_at, o.name

-- name: delivered
-- A delivery was taken.
update bill_webhook_delivery set delivered_at = %(now)s, last_error = null
where organization_id = current_setting('energia.organization')::int and bill_id = %(bill)s

-- name: failed
-- A delivery was not taken: it is tried again, or given up.
update bill_webhook_delivery set next_at = %(next)s, failed_at = %(failed)s, last_error = %(error)s
where organization_id = current_setting('energia.organization')::int and bill_id = %(bill)s

-- name: waiting
-- How many deliveries wait, and when the next one is due.
select count(*), min(next_at)
from bill_webhook_delivery
where organization_id = current_setting('energia.organization')::int
  and delivered_at is null and failed_at is null
