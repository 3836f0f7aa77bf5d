-- name: previews
-- The databases that are called as those of previews are, or one of them; all by their number.
select d.datname, shobj_description(d.oid, 'pg_database'), d.datallowconn, d.datconnlimit,
  case when has_database_privilege(d.oid, 'connect') then pg_database_size(d.oid) end,
  (select count(*) from pg_stat_activity a where a.datid = d.oid and a.usesysid is not null),
  clock_timestamp()
from pg_database d
where d.datname ~ '^app_pr_[1-9][0-9]{0,9}$' and (%s::text is null or d.datname = %s)
order by length(d.datname), d.datname
