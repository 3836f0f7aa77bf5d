-- Sources: which process runs each, how it is doing, and where it is to go on.

-- One replica at a time runs a source: the one whose `holder` stands here and is not over yet.
create table source (
  organization_id int not null references organization,
  name text collate "C" not null,
  holder text,
  held_until timestamptz not null default '-infinity',
  connected boolean not null default false,
  received_at timestamptz,
  error text,
  primary key (organization_id, name)
);

call energia_row_security('source');

-- What a source has saved, by names of its own: a source of many devices writes those that changed.
create table source_state (
  organization_id int not null references organization,
  source text collate "C" not null,
  name text collate "C" not null,
  value json not null,
  primary key (organization_id, source, name)
);

call energia_row_security('source_state');
