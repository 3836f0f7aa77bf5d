-- Idempotency keys: requests that may come twice, and what the first of each was answered.
create table idempotency_key (
  organization_id int not null references organization,
  caller text not null,
  -- A hash: the key is the client's.
  key bytea not null,
  -- A hash of the request; null while a file is still coming.
  request bytea,
  -- The one that is at it, and until when it can be.
  holder text not null,
  held_until timestamptz not null,
  made_at timestamptz not null default clock_timestamp(),
  -- The answer; null while it is under way. An answer with a secret has no body here.
  status smallint,
  location text,
  body bytea,
  primary key (organization_id, caller, key)
);
create index idempotency_key_age on idempotency_key (made_at);

call energia_row_security('idempotency_key');
