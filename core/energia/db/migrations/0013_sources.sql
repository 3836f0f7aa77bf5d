-- Sources: where each is to go on, which process runs it, and how it is doing.

-- One replica at a time runs a source: the one whose `holder` stands here and is not over yet.
create table source (
  organization_id int not null references organization,
  name text collate "C" not null,
  state json not null default '{}',
  holder text,
  held_until timestamptz not null default '-infinity',
  connected boolean not null default false,
  received_at timestamptz,
  error text,
  primary key (organization_id, name)
);

call energia_row_security('source');
