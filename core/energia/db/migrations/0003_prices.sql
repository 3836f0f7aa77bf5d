-- Price series, their prices with every revision, and when feeds are due.

create table price_series (
  organization_id int not null references organization,
  id text not null,
  currency text not null,
  unit text not null,
  interval_seconds int,
  timezone text not null,
  -- The longest slot that a price was ever of, in seconds: where to look for what overlaps.
  longest int not null default 0,
  revised_at timestamptz,
  primary key (organization_id, id)
);

-- A price of one kWh (or m3) from one instant to another; it is in force until it is superseded.
-- No foreign key and no sequence: there are many rows, and the table distributes as it is.
create table price (
  organization_id int not null,
  series_id text not null,
  start_at timestamptz not null,
  end_at timestamptz not null,
  price numeric not null,
  recorded_at timestamptz not null,
  superseded_at timestamptz,
  primary key (organization_id, series_id, start_at, recorded_at),
  constraint price_lasts check (end_at > start_at)
);

-- One replica at a time fetches: the one that moves `due_at` on.
create table price_feed (
  organization_id int not null references organization,
  name text not null,
  series_id text not null,
  due_at timestamptz not null,
  tries int not null default 0,
  succeeded_at timestamptz,
  next_update timestamptz,
  error text,
  memo json not null default '{}',
  primary key (organization_id, name)
);
create index price_feed_series on price_feed (organization_id, series_id);

-- The price series that a bill was priced by, and the newest revision that was seen of each.
alter table bill add column price_series text[];
alter table bill add column price_revisions timestamptz[];
