-- Deletions that a law asks for: which readings are gone, why, and are not stored again.

-- The column waits for who writes imports. Given up before the server looks for a deadlock (1 s).
set local lock_timeout = '300ms';

create table deletion (
  organization_id int not null references organization,
  id bigint generated always as identity,
  -- Null: of all meters, by the setting `readings.retention`; one row, which moves on.
  meter_id text,
  -- The slots that start before it are gone: a midnight of the site's zone.
  before_at timestamptz not null,
  deleted_at timestamptz not null default clock_timestamp(),
  caller text not null,
  reason text not null,
  readings bigint not null,
  primary key (organization_id, id)
);
create index deletion_meter on deletion (organization_id, meter_id, before_at);
create unique index deletion_retention on deletion (organization_id) where meter_id is null;

call energia_row_security('deletion');
call audit_watch('deletion', 'deletion', '{id}');
create policy limits on deletion as restrictive
  using (energia_unlimited() or meter_id is null or energia_sees_meter(organization_id, meter_id));

-- The meters that an import names, where it has problems: these may quote values of them.
alter table import add column meters text[];
