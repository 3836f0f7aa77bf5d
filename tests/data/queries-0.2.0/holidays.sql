-- name: holiday_list_get
-- Some versions of lists; the newest of a list where none is named.
select asked.reference, l.version, l.stored_at, l.document
from unnest(%(references)s::text[], %(ids)s::text[], %(versions)s::int[])
  as asked (reference, id, version)
join lateral (
  select version, stored_at, document
  from holiday_list
  where organization_id = current_setting('energia.organization')::int and id = asked.id
    and (asked.version is null or version = asked.version)
  order by version desc
  limit 1) l on true

-- name: holiday_list_list
-- The newest versions of a page of lists after an id.
select distinct on (id) id, version, stored_at, document
from holiday_list
where organization_id = current_setting('energia.organization')::int and id > %s
order by id, version desc
limit %s

-- name: holiday_list_add
-- Store a version of a list, unless there is one: a row if it was stored.
insert into holiday_list (organization_id, id, version, stored_at, document)
values (current_setting('energia.organization')::int, %(id)s, %(version)s, %(now)s,
  %(document)s::json)
on conflict do nothing
returning version

-- name: holiday_list_used
-- A tariff that names a list, if there is one.
select tariff_id
from tariff_version
where organization_id = current_setting('energia.organization')::int
  and position('"' || %s || '@' in document ->> 'holiday_lists') > 0
limit 1

-- name: holiday_list_delete
-- Delete a list with its versions.
delete from holiday_list
where organization_id = current_setting('energia.organization')::int and id = %s
