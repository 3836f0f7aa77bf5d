-- name: key_reserve
-- Take a key that is new, too old, or left behind by who did not answer; no row if it is not.
insert into idempotency_key as k (organization_id, caller, key, request, holder, held_until)
values (current_setting('energia.organization')::int, %(caller)s, %(key)s, %(request)s, %(holder)s,
  clock_timestamp() + %(lease)s * interval '1 second')
on conflict (organization_id, caller, key) do update set
  request = excluded.request, holder = excluded.holder, held_until = excluded.held_until,
  made_at = excluded.made_at, status = null, location = null, body = null
where k.made_at < clock_timestamp() - %(retention)s * interval '1 second'
  or (k.status is null and k.held_until < clock_timestamp()
    and k.request is not distinct from excluded.request)
returning true

-- name: key_get
-- What is known of a key.
select request, status, location, body
from idempotency_key
where organization_id = current_setting('energia.organization')::int
  and caller = %(caller)s and key = %(key)s

-- name: key_renew
-- Hold a key for longer.
update idempotency_key
set held_until = clock_timestamp() + %(lease)s * interval '1 second'
where organization_id = current_setting('energia.organization')::int
  and caller = %(caller)s and key = %(key)s and holder = %(holder)s and status is null

-- name: key_answer
-- Keep the answer, if the key is still held by who gives it.
update idempotency_key
set request = %(request)s, status = %(status)s, location = %(location)s, body = %(body)s
where organization_id = current_setting('energia.organization')::int
  and caller = %(caller)s and key = %(key)s and holder = %(holder)s and status is null

-- name: key_release
-- Give a key up that nothing was made by.
delete from idempotency_key
where organization_id = current_setting('energia.organization')::int
  and caller = %(caller)s and key = %(key)s and holder = %(holder)s and status is null

-- name: keys_expire
-- Delete some of the keys that are too old, of all organizations.
delete from idempotency_key
where (organization_id, caller, key) in (
  select organization_id, caller, key
  from idempotency_key
  where made_at < clock_timestamp() - %(retention)s * interval '1 second'
  limit %(most)s
  for update skip locked
)
