-- Lists of holidays. A version never changes: tariffs copy its dates, and name it.
create table holiday_list (
  organization_id int not null references organization,
  id text not null,
  version int not null,
  stored_at timestamptz not null,
  document json not null,
  primary key (organization_id, id, version)
);
