-- Tables that were fetched, and tariffs that follow the tables.

-- Given up before the server looks for a deadlock: whoever serves meanwhile is not the victim.
set local lock_timeout = '300ms';

-- Public data that the service fetches for all organizations: the last whole file of each table.
create table brazil_table (
  name text primary key,
  url text not null,
  -- Null until a file was taken.
  digest text,
  data bytea,
  -- How many rows it has, and from when on the newest of them holds.
  "rows" int,
  newest date,
  etag text,
  fetched_at timestamptz,
  checked_at timestamptz not null,
  -- Why the last file was not taken; null if all is well.
  trouble text
);

create table brazil_tariff (
  organization_id int not null,
  tariff_id text not null,
  -- The customer, as it was sent.
  request json not null,
  -- The version of the tables by which it was drawn last, or tried.
  tables text not null,
  drawn_at timestamptz not null,
  tried_at timestamptz not null,
  -- Days that issued bills hold as they were, though the tables say otherwise.
  kept jsonb not null default '[]',
  -- Why it does not follow; null if it does.
  trouble text,
  primary key (organization_id, tariff_id),
  foreign key (organization_id, tariff_id) references tariff on delete cascade
);

call energia_row_security('brazil_tariff');
call audit_watch('brazil_tariff', 'tariff', '{tariff_id}', 'follows', 'tariff_id',
  apart => '{tables,drawn_at,tried_at,kept,trouble}');
