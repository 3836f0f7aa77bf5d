-- name: job_new
-- Note a job; its file is still to come.
insert into job (organization_id, id, kind, caller, caller_name, limits, request)
values (
  current_setting('energia.organization')::int, %(id)s, %(kind)s, %(caller)s, %(name)s,
  %(limits)s, %(request)s
)

-- name: job_wait
-- Let a job wait for a worker: one whose file has come, or that has ended before its end.
update job
set status = 'waiting', task_id = %(task)s, ended_at = null, problem = null, done = 0, total = null
where organization_id = current_setting('energia.organization')::int and id = %(id)s

-- name: job_hold
-- The status of a job and its number in the engine, held until the transaction ends.
select status, task_id
from job
where organization_id = current_setting('energia.organization')::int and id = %s
for update

-- name: job_begin
-- Begin a job, or begin it anew; no row if it has ended meanwhile.
update job
set status = 'running', tries = tries + 1, started_at = coalesce(started_at, clock_timestamp())
where organization_id = current_setting('energia.organization')::int and id = %s
  and status in ('waiting', 'running')
returning kind, caller, caller_name, limits, request, tries,
  coalesce((select attempts from procrastinate_jobs where id = task_id), 0)

-- name: job_progress
-- Tell how far it is; no row if it was cancelled, or another worker has begun it.
update job set done = %(done)s, total = %(total)s
where organization_id = current_setting('energia.organization')::int and id = %(id)s
  and status = 'running' and tries = %(tries)s
returning true

-- name: job_end
-- End a job; no row if it was cancelled, or another worker has begun it.
update job
set status = %(status)s, ended_at = clock_timestamp(), result = %(result)s, problem = %(problem)s,
  done = coalesce(%(done)s, done), total = coalesce(%(total)s, total)
where organization_id = current_setting('energia.organization')::int and id = %(id)s
  and status = 'running' and tries = %(tries)s
returning true

-- name: job_cancel
-- Cancel a job that has not ended.
update job set status = 'cancelled', ended_at = clock_timestamp()
where organization_id = current_setting('energia.organization')::int and id = %s

-- name: job_get
-- A job.
select id, kind, caller, status, tries, done, total, result, problem,
  created_at, started_at, ended_at
from job
where organization_id = current_setting('energia.organization')::int and id = %(id)s
  and (%(caller)s::text is null or caller = %(caller)s)
  and (%(limits)s::jsonb is null or limits = %(limits)s::jsonb) and status <> 'receiving'

-- name: job_list
-- A page of jobs, the newest first.
select id, kind, caller, status, tries, done, total, result, problem,
  created_at, started_at, ended_at
from job
where organization_id = current_setting('energia.organization')::int
  and (%(caller)s::text is null or caller = %(caller)s)
  and (%(limits)s::jsonb is null or limits = %(limits)s::jsonb)
  and (%(status)s::text is null or status = %(status)s)
  and (%(kind)s::text is null or kind = %(kind)s)
  and (%(before)s::text is null or id < %(before)s) and status <> 'receiving'
order by id desc
limit %(limit)s

-- name: job_join
-- A job that another worker has begun; no row if it does not run.
select kind, caller, caller_name, limits, request, tries, 0
from job
where organization_id = current_setting('energia.organization')::int and id = %s
  and status = 'running'

-- name: job_range_take
-- Hold a range that nobody else does, until the transaction ends; no row where the job does not run.
select number, ids
from job_range
where organization_id = current_setting('energia.organization')::int and job_id = %(job)s
  and outcome is null and exists (
    select from job
    where organization_id = current_setting('energia.organization')::int and id = %(job)s
      and status = 'running')
order by number
limit 1
for update skip locked

-- name: job_range_end
-- Note what a range has given.
update job_range set outcome = %(outcome)s
where organization_id = current_setting('energia.organization')::int and job_id = %(job)s
  and number = %(number)s

-- name: job_range_state
-- How many ranges of a job are not done, and how much is in those that are, and in all of them.
select count(*) filter (where outcome is null),
  coalesce(sum(size) filter (where outcome is not null), 0)::bigint,
  coalesce(sum(size), 0)::bigint
from job_range
where organization_id = current_setting('energia.organization')::int and job_id = %s

-- name: job_range_outcomes
-- What some ranges have given, in their order.
select number, outcome
from job_range
where organization_id = current_setting('energia.organization')::int and job_id = %(job)s
  and number > %(after)s
order by number
limit %(limit)s

-- name: job_range_delete
-- Forget the ranges of a job: whoever still does one is waited for.
delete from job_range
where organization_id = current_setting('energia.organization')::int and job_id = %s

-- name: job_part_put
-- Keep a part of the file of a job; no row if another worker has begun it since.
insert into job_part (organization_id, job_id, number, bytes)
select organization_id, id, %(number)s, %(bytes)s
from job
where organization_id = current_setting('energia.organization')::int and id = %(id)s
  and status in ('receiving', 'running') and tries = %(tries)s
for share
on conflict (organization_id, job_id, number) do update set bytes = excluded.bytes

-- name: job_part_get
-- A part of the file of a job.
select bytes
from job_part
where organization_id = current_setting('energia.organization')::int and job_id = %s and number = %s

-- name: job_parts_count
-- How many parts the file of a job has.
select count(*)
from job_part
where organization_id = current_setting('energia.organization')::int and job_id = %s

-- name: job_parts_delete
-- Let the file of a job go, unless another worker has begun it since.
delete from job_part p
using job j
where p.organization_id = current_setting('energia.organization')::int and p.job_id = %(id)s
  and j.organization_id = p.organization_id and j.id = p.job_id and j.tries = %(tries)s

-- name: job_delete
-- Let a job go whose file did not come.
delete from job
where organization_id = current_setting('energia.organization')::int and id = %s
  and status = 'receiving'

-- name: job_expire
-- Let some jobs go that ended before a moment, and whose file did not come within a day.
delete from job
where (organization_id, id) in (
  select organization_id, id
  from job
  where (ended_at is not null
      and coalesce(ended_at, created_at) < now() - make_interval(secs => %(retention)s))
    or (status = 'receiving'
      and coalesce(ended_at, created_at) < now() - interval '1 day')
  limit %(limit)s
)

-- name: task_end
-- End a task, unless another worker has begun it since.
with own as materialized (
  select id from procrastinate_jobs
  where id = %(id)s and attempts = %(attempts)s and status = 'doing'
  for update
)
select procrastinate_finish_job_v1(
  id, %(status)s::procrastinate_job_status, %(delete)s) is null from own

-- name: task_again
-- Let a task wait again, unless another worker has begun it since.
with own as materialized (
  select id from procrastinate_jobs
  where id = %(id)s and attempts = %(attempts)s and status = 'doing'
  for update
)
select procrastinate_retry_job_v2(id, coalesce(%(at)s::timestamptz, clock_timestamp()), null, null, null) is null from own

-- name: task_expire
-- Let some tasks go that ended without success, and of which nothing has happened since.
delete from procrastinate_jobs
where id in (
  select id
  from procrastinate_jobs j
  where status in ('succeeded', 'failed', 'cancelled', 'aborted') and not exists (
    select from procrastinate_events
    where job_id = j.id and at > now() - make_interval(hours => %(hours)s))
  limit %(limit)s
)

-- name: job_late
-- How many tasks are due, and for how many seconds the oldest of them is: one that was never begun
-- since it was deferred, any other since the moment that was stated for it. Those who would help
-- with a job that has begun are not late: they wait until there is nothing else to do.
with due as (
  select count(*) as tasks, min(scheduled_at) as since, min(id) filter (where scheduled_at is null)
    as first
  from procrastinate_jobs
  where status = 'todo' and task_name <> 'job-help'
    and (scheduled_at is null or scheduled_at <= now())
)
select tasks, coalesce(extract(epoch from now() - least(since, (
  select min(at) from procrastinate_events where job_id = due.first and type = 'deferred'
))), 0)::float
from due
