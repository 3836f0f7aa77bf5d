-- What tariffs and contracts said before they were corrected, although bills were issued by it.

-- It goes on being what those bills are by: they name its number.
create table superseded (
  organization_id int not null references organization,
  kind text not null,
  id text not null,
  number int not null,
  superseded_at timestamptz not null,
  reason text not null,
  document json not null,
  primary key (organization_id, kind, id, number),
  constraint superseded_kind check (kind in ('tariff', 'contract'))
);

-- Null: the bill is by the tariff, or of the contract, as that is now.
alter table bill add column tariff_superseded int;
alter table bill add column contract_superseded int;
