-- name: receive
-- Remember a delivery, unless it or its body came before.
insert into preview_github_delivery
  (digest, delivery, pr, action, happened_at, received_at, next_at)
values (%(digest)s, %(delivery)s, %(pr)s, %(action)s, %(happened)s, %(now)s, %(now)s)
on conflict do nothing

-- name: claim
-- Take what is to be done, which no other replica then takes for a while.
update preview_github_delivery d set next_at = %(until)s
from (
  select digest
  from preview_github_delivery
  where done_at is null and next_at <= %(now)s
  order by happened_at
  limit %(limit)s
  for update skip locked) due
where d.digest = due.digest
returning d.digest, d.pr, d.action, d.happened_at

-- name: done
-- Something was done.
update preview_github_delivery set done_at = %s where digest = %s

-- name: forget
-- Forget what is too old to be accepted again.
delete from preview_github_delivery where done_at < %s
