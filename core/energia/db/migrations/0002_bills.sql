-- Contracts and bills.

create table contract (
  organization_id int not null,
  id text not null,
  meter_id text not null,
  tariff_id text not null,
  start_day date not null,
  end_day date,
  parameters json not null,
  channels json not null,
  primary key (organization_id, id),
  foreign key (organization_id, meter_id) references meter,
  foreign key (organization_id, tariff_id) references tariff,
  constraint contract_lasts check (end_day > start_day)
);
create index contract_meter on contract (organization_id, meter_id);
create index contract_tariff on contract (organization_id, tariff_id);

-- A draft is priced anew until it is issued; issued bills never change, but for their status once
-- another one corrects them. Days are those of the site's zone.
create table bill (
  organization_id int not null,
  id text not null,
  contract_id text not null,
  start_day date not null,
  end_day date not null,
  status text not null,
  corrects text,
  created_at timestamptz not null,
  priced_at timestamptz not null,
  issued_at timestamptz,
  meter_id text not null,
  -- The version that was in force, which stays as it is once a bill by it is issued.
  tariff_id text not null,
  version_from date not null,
  parameters json not null,
  -- The channels that were read, and the newest revision that was seen of each.
  channels bigint[] not null,
  revisions timestamptz[] not null,
  prior_state json not null,
  state json not null,
  -- What the API shows: lines, coverage, assumptions and the like.
  document json not null,
  -- What the measures of each charge gave, and how lines were worked out.
  basis json not null,
  primary key (organization_id, id),
  foreign key (organization_id, contract_id) references contract,
  foreign key (organization_id, corrects) references bill,
  constraint bill_status check (status in ('draft', 'issued', 'corrected')),
  constraint bill_lasts check (end_day > start_day)
);
create unique index bill_draft on bill (organization_id, contract_id, start_day, end_day)
  where status = 'draft';
create unique index bill_live on bill (organization_id, contract_id, start_day, end_day)
  where status = 'issued';
create index bill_contract on bill (organization_id, contract_id, end_day);
create index bill_version on bill (organization_id, tariff_id, version_from);
create index bill_corrects on bill (organization_id, corrects) where corrects is not null;
create index bill_created on bill (organization_id, created_at, id);
create index bill_issued_at on bill (organization_id, issued_at) where issued_at is not null;
