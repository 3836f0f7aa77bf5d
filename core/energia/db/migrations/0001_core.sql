-- Tenants, sites, meters, readings in day blocks, tariffs.

create table organization (
  id int generated always as identity primary key,
  name text not null unique
);
insert into organization (name) values ('default');

create table site (
  organization_id int not null references organization,
  id text not null,
  name text not null,
  timezone text not null,
  country text not null,
  subdivision text,
  currency text not null,
  primary key (organization_id, id)
);

create table meter (
  organization_id int not null,
  id text not null,
  site_id text not null,
  name text,
  serial text,
  primary key (organization_id, id),
  foreign key (organization_id, site_id) references site
);
create index meter_site on meter (organization_id, site_id);

create table channel (
  id bigint generated always as identity primary key,
  organization_id int not null,
  meter_id text not null,
  name text not null,
  position int not null,
  quantity text not null,
  direction text not null,
  unit text not null,
  interval_seconds int not null,
  offset_seconds int not null,
  kind text not null,
  digits int,
  multiplier numeric,
  max_power numeric,
  unique (organization_id, meter_id, name),
  foreign key (organization_id, meter_id) references meter on delete cascade
);

create table import (
  id bigint generated always as identity primary key,
  organization_id int not null references organization,
  public_id text not null,
  format text not null,
  sha256 text not null,
  published_at timestamptz,
  recorded_at timestamptz not null default clock_timestamp(),
  counts json not null,
  problems json not null,
  unique (organization_id, public_id)
);

-- One row for each channel and day of its grid: slot i starts at day + offset + i * interval.
-- No foreign key and no sequence, channel_id first: the table distributes as it is.
create table reading_day (
  organization_id int not null,
  channel_id bigint not null,
  day date not null,
  "values" bigint[] not null,
  quality smallint[],
  revision int not null,
  import_id bigint not null,
  recorded_at timestamptz not null,
  published_at timestamptz,
  primary key (channel_id, day),
  constraint reading_day_bound check (
    1000000000000000 >= all ("values") and -1000000000000000 <= all ("values"))
) with (fillfactor = 75);

create table reading_day_history (
  organization_id int not null,
  channel_id bigint not null,
  day date not null,
  "values" bigint[] not null,
  quality smallint[],
  revision int not null,
  import_id bigint not null,
  recorded_at timestamptz not null,
  published_at timestamptz,
  superseded_at timestamptz not null,
  primary key (channel_id, day, revision)
);

-- Readings as rows, for analysts and dashboards.
create view reading as
select d.organization_id, c.meter_id as meter, c.name as channel,
  (d.day::timestamp at time zone 'UTC')
    + make_interval(secs => c.offset_seconds + (s.slot - 1) * c.interval_seconds) as start_at,
  s.value::numeric / 1000000 as value, c.unit,
  coalesce(d.quality[s.slot], 1) as quality
from reading_day d
join channel c on c.id = d.channel_id
cross join lateral unnest(d."values") with ordinality as s(value, slot)
where s.value is not null;

create table tariff (
  organization_id int not null references organization,
  id text not null,
  name text not null,
  currency text not null,
  timezone text not null,
  primary key (organization_id, id)
);

create table tariff_version (
  organization_id int not null,
  tariff_id text not null,
  valid_from date not null,
  valid_to date,
  document json not null,
  primary key (organization_id, tariff_id, valid_from),
  foreign key (organization_id, tariff_id) references tariff on delete cascade
);
