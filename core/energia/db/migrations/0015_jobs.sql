-- What was begun by a client and outlives its request: it can be watched, cancelled and resumed.

create table job (
  organization_id int not null references organization,
  id text not null,
  kind text not null,
  -- Who began it, by id and by name; and the sites and meters that it sees, where not all.
  caller text not null,
  caller_name text not null,
  limits jsonb,
  -- What was asked for.
  request jsonb not null,
  -- The number of what waits in the engine; none while its file is still received.
  task_id bigint,
  status text not null default 'receiving'
    check (status in ('receiving', 'waiting', 'running', 'succeeded', 'failed', 'cancelled')),
  -- How often it was begun: who was only late must not end what another one has begun since.
  tries int not null default 0,
  done bigint not null default 0,
  total bigint,
  -- What it has given, or the problem document of why not.
  result jsonb,
  problem jsonb,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  ended_at timestamptz,
  primary key (organization_id, id)
);
create index job_ended on job (coalesce(ended_at, created_at));

-- The file that a job takes, or gives, in parts: each compressed on its own.
create table job_part (
  organization_id int not null,
  job_id text not null,
  number int not null,
  bytes bytea not null,
  primary key (organization_id, job_id, number),
  foreign key (organization_id, job_id) references job on delete cascade
);

call energia_row_security('job');
call energia_row_security('job_part');
