-- What was measured of bills that are growing: only kept to be added to, never what is billed.

create table cost_to_date (
  organization_id int not null,
  contract_id text not null,
  start_day date not null,
  -- Until when it was measured: whole days of the channels' grids.
  measured_until timestamptz not null,
  -- The newest revision that was seen of each channel; what was recorded later makes it void.
  revisions timestamptz[] not null,
  -- What it depends on besides the readings: the version, parameters, channels and plugins.
  basis json not null,
  measured json not null,
  primary key (organization_id, contract_id, start_day),
  foreign key (organization_id, contract_id) references contract on delete cascade
);
