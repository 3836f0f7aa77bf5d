-- Mappings: how the tables of a source are read, under a name.
create table csv_mapping (
  organization_id int not null references organization,
  id text collate "C" not null,
  document json not null,
  primary key (organization_id, id)
);

call energia_row_security('csv_mapping');
call audit_watch('csv_mapping', 'csv_mapping', '{id}');
