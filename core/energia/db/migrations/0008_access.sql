-- Tokens: who may do what. Only the hash of a secret is kept.

create table access_token (
  organization_id int not null references organization,
  -- The part that everybody may read; it begins with the organization's key.
  prefix text not null,
  -- SHA-256 of a secret of 256 random bits.
  hash bytea not null,
  -- The secret before the last rotation, and until when it is taken as well.
  former_hash bytea,
  former_until timestamptz,
  name text not null,
  scopes text[] not null,
  -- The only sites and meters that it is for; null for all.
  sites text[],
  meters text[],
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  used_at timestamptz,
  revoked_at timestamptz,
  primary key (organization_id, prefix)
);

-- What a caller that is limited to sites or meters sees: hexadecimal JSON, {"sites": [...],
-- "meters": [...], "caller": "..."}, set for a transaction. Null for all others.
create function energia_limits() returns jsonb language sql stable as $$
  select convert_from(decode(nullif(current_setting('energia.limits', true), ''), 'hex'), 'UTF8')::jsonb
$$;

-- Each policy narrows what others allow; for who has no limits it is one look per statement. They
-- bind once a table has row security.
create policy limits on meter as restrictive
  using (
    coalesce((select energia_limits() -> 'sites') ? site_id, true)
    and coalesce((select energia_limits() -> 'meters') ? id, true)
  );
-- Of the site of its meters one may know, but not change what others at it depend on.
create policy limits on site as restrictive
  using (
    coalesce((select energia_limits() -> 'sites') ? id, true)
    and (
      (select energia_limits() -> 'meters') is null
      or exists (
        select from meter m where m.organization_id = site.organization_id and m.site_id = site.id)
    )
  )
  with check (
    coalesce((select energia_limits() -> 'sites') ? id, true)
    and (select energia_limits() -> 'meters') is null
  );
create policy limits on channel as restrictive
  using ((select energia_limits()) is null or exists (
    select from meter m where m.organization_id = channel.organization_id and m.id = meter_id));
create policy limits on contract as restrictive
  using ((select energia_limits()) is null or exists (
    select from meter m where m.organization_id = contract.organization_id and m.id = meter_id));
create policy limits on bill as restrictive
  using ((select energia_limits()) is null or exists (
    select from meter m where m.organization_id = bill.organization_id and m.id = meter_id));
create policy limits on cost_to_date as restrictive
  using ((select energia_limits()) is null or exists (
    select from contract c
    where c.organization_id = cost_to_date.organization_id and c.id = contract_id));
create policy limits on superseded as restrictive
  using ((select energia_limits()) is null or kind <> 'contract' or exists (
    select from contract c where c.organization_id = superseded.organization_id and c.id = superseded.id));

-- An import names meters: a limited caller sees its own ones only.
alter table import add column limited_to text;
alter table import alter column limited_to set default energia_limits() ->> 'caller';
create policy limits on import as restrictive
  using ((select energia_limits()) is null or limited_to = (select energia_limits() ->> 'caller'));
