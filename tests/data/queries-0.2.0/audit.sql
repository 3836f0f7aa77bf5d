-- name: audit_list
-- A page of entries before a place, the newest first.
select id, recorded_at, caller, caller_name, request_id, resource, resource_id, action, before,
  after
from audit
where organization_id = current_setting('energia.organization')::int
  and (%(resource)s::text is null or resource = %(resource)s)
  and (%(id)s::text is null or resource_id = %(id)s)
  and (%(caller)s::text is null or caller = %(caller)s)
  and (%(action)s::text is null or action = %(action)s)
  and (%(start)s::timestamptz is null or recorded_at >= %(start)s)
  and (%(end)s::timestamptz is null or recorded_at < %(end)s)
  and (%(at)s::timestamptz is null or (recorded_at, id) < (%(at)s, %(number)s))
order by recorded_at desc, id desc
limit %(limit)s

-- name: audit_expiry
-- What follows is retention, which alone may delete entries: those of every organization.
select set_config('energia.audit_expiry', 'on', true)

-- name: audit_expire
-- Delete some entries that are too old, unless another replica does so at this moment.
delete from audit
where id = any (array(
  select id
  from audit
  where recorded_at < now() - make_interval(secs => %(retention)s)
  limit case when pg_try_advisory_xact_lock(%(lock)s) then %(most)s else 0 end))
