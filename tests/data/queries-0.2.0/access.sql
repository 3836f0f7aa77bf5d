-- name: token_add
-- Keep a new token.
insert into access_token (organization_id, prefix, hash, name, scopes, sites, meters, expires_at)
values (current_setting('energia.organization')::int, %s, %s, %s, %s, %s, %s, %s)

-- name: token_get
-- What is shown of some tokens.
select t.prefix, t.name, t.scopes, o.name, t.sites, t.meters, t.created_at, t.expires_at, t.used_at,
  t.revoked_at
from access_token t join organization o on o.id = t.organization_id
where t.organization_id = current_setting('energia.organization')::int and t.prefix = any(%s)

-- name: token_list
-- A page of tokens after a prefix.
select t.prefix, t.name, t.scopes, o.name, t.sites, t.meters, t.created_at, t.expires_at, t.used_at,
  t.revoked_at
from access_token t join organization o on o.id = t.organization_id
where t.organization_id = current_setting('energia.organization')::int and t.prefix > %s
order by t.prefix
limit %s

-- name: token_revoke
-- Revoke a token; one that is revoked stays as it is.
update access_token set revoked_at = coalesce(revoked_at, clock_timestamp())
where organization_id = current_setting('energia.organization')::int and prefix = %s

-- name: token_rotate
-- Give a token that is not revoked another secret; the one before lives for some seconds.
update access_token set hash = %s, former_hash = hash,
  former_until = clock_timestamp() + make_interval(secs => %s)
where organization_id = current_setting('energia.organization')::int and prefix = %s
  and revoked_at is null

-- name: token_known
-- What tells who sends some tokens.
select prefix, hash, case when former_until > clock_timestamp() then former_hash end, name, scopes,
  sites, meters, expires_at, revoked_at
from access_token
where organization_id = current_setting('energia.organization')::int and prefix = any(%s)

-- name: token_any
-- Whether there is a token that may be used.
select exists (
  select from access_token
  where organization_id = current_setting('energia.organization')::int and revoked_at is null
    and (expires_at is null or expires_at > clock_timestamp())
)

-- name: token_used
-- Keep when tokens were last used, not more than once a minute each.
update access_token t set used_at = u.at
from unnest(%s::text[], %s::timestamptz[]) as u (prefix, at)
where t.organization_id = current_setting('energia.organization')::int and t.prefix = u.prefix
  and (t.used_at is null or t.used_at < u.at - interval '50 seconds')

-- name: policies_hold
-- Whether row policies hold for the service.
select row_security_active('meter')
