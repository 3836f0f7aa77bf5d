-- Registers that are read, and readings that each have a start and an end of their own.

-- A channel without slots of its own: what is known of it goes from day to day.
alter table channel add column by_days boolean not null default false;

-- What registers showed, in the unit of their channel and with the digits that were written. A read
-- that is corrected stays, with the instant that ended it: what is current has none. One without a
-- value says that what was there was withdrawn.
create table register_read (
  organization_id int not null,
  channel_id bigint not null,
  read_at timestamptz not null,
  kind text not null,
  value numeric,
  quality smallint not null,
  equipment text,
  import_id bigint not null,
  recorded_at timestamptz not null,
  superseded_at timestamptz,
  primary key (channel_id, read_at, kind, recorded_at)
);
create unique index register_read_current on register_read (channel_id, read_at, kind)
  where superseded_at is null;

-- What was measured from one instant to another, in micro-units; null where it is missing, and with
-- the quality -1 where it was withdrawn.
create table stretch (
  organization_id int not null,
  channel_id bigint not null,
  start_at timestamptz not null,
  end_at timestamptz not null,
  value bigint,
  quality smallint not null,
  import_id bigint not null,
  recorded_at timestamptz not null,
  superseded_at timestamptz,
  primary key (channel_id, start_at, recorded_at),
  constraint stretch_length check (end_at > start_at),
  constraint stretch_bound check (value between -1000000000000000 and 1000000000000000)
);
create unique index stretch_current on stretch (channel_id, start_at) where superseded_at is null;

call energia_row_security('register_read');
call energia_row_security('stretch');

-- When the source made what is stored from an instant on: an older version of it does not replace it.
create table publication (
  organization_id int not null,
  channel_id bigint not null,
  start_at timestamptz not null,
  published_at timestamptz not null,
  primary key (channel_id, start_at)
);
call energia_row_security('publication');
