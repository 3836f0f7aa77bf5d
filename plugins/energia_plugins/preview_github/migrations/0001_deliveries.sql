-- What GitHub told of pull requests: the queue of what is still to be done, and the memory by which
-- a repeated delivery is known. It is about the installation, so it belongs to no organization.

create table preview_github_delivery (
  digest text primary key,
  delivery text not null unique,
  pr bigint not null,
  action text not null,
  happened_at timestamptz not null,
  received_at timestamptz not null,
  next_at timestamptz not null,
  done_at timestamptz
);
create index preview_github_due on preview_github_delivery (next_at) where done_at is null;
create index preview_github_old on preview_github_delivery (done_at);
