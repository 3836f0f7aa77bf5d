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

-- Each policy narrows what others allow, once a table has row security. For who has no limits it is
-- one look at a setting: what a limited caller may see is in functions, which are planned only then.

create function energia_unlimited() returns boolean language sql stable as $$
  select coalesce(current_setting('energia.limits', true), '') = ''
$$;

create function energia_sees(site text, meter text) returns boolean language plpgsql stable as $$
declare
  limits constant jsonb := energia_limits();
begin
  return coalesce(limits -> 'sites' ? site, true) and coalesce(limits -> 'meters' ? meter, true);
end
$$;

-- Whether a meter is there for the caller: by the policy of `meter`.
create function energia_sees_meter(organization int, meter text) returns boolean
language plpgsql stable as $$
begin
  return exists (select from meter m where m.organization_id = organization and m.id = meter);
end
$$;

-- Of the site of its meters one may know.
create function energia_sees_site(organization int, site text) returns boolean
language plpgsql stable as $$
begin
  return energia_sees(site, null) and (energia_limits() -> 'meters' is null
    or exists (select from meter m where m.organization_id = organization and m.site_id = site));
end
$$;

create function energia_sees_contract(organization int, contract text) returns boolean
language plpgsql stable as $$
begin
  return exists (select from contract c where c.organization_id = organization and c.id = contract);
end
$$;

create policy limits on meter as restrictive
  using (energia_unlimited() or energia_sees(site_id, id));
-- Nobody who is limited to meters may change what others at the site depend on.
create policy limits on site as restrictive
  using (energia_unlimited() or energia_sees_site(organization_id, id))
  with check (energia_unlimited()
    or energia_limits() -> 'meters' is null and energia_sees(id, null));
create policy limits on channel as restrictive
  using (energia_unlimited() or energia_sees_meter(organization_id, meter_id));
create policy limits on contract as restrictive
  using (energia_unlimited() or energia_sees_meter(organization_id, meter_id));
create policy limits on bill as restrictive
  using (energia_unlimited() or energia_sees_meter(organization_id, meter_id));
create policy limits on cost_to_date as restrictive
  using (energia_unlimited() or energia_sees_contract(organization_id, contract_id));
create policy limits on superseded as restrictive
  using (energia_unlimited() or kind <> 'contract' or energia_sees_contract(organization_id, id));

-- An import names meters: a limited caller sees its own ones only.
alter table import add column limited_to text;
alter table import alter column limited_to set default energia_limits() ->> 'caller';
create policy limits on import as restrictive
  using (energia_unlimited() or limited_to = energia_limits() ->> 'caller');
