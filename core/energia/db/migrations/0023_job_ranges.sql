-- The parts of a job that any number of workers do at once. One is done in a transaction that holds
-- its row and writes its outcome: once, and it is free again as soon as its worker is gone.
create table job_range (
  organization_id int not null,
  job_id text not null,
  number int not null,
  -- What is in it, and how much of what the job counts that is.
  ids text[] not null,
  size int not null,
  -- What doing it has given; none while it is not done.
  outcome jsonb,
  primary key (organization_id, job_id, number),
  foreign key (organization_id, job_id) references job on delete cascade
);
create index job_range_open on job_range (organization_id, job_id, number) where outcome is null;
call energia_row_security('job_range');
