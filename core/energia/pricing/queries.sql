-- name: tariff_put
-- Make a tariff or replace it with all its versions; true if it was made.
with head as (
  insert into tariff (organization_id, id, name, currency, timezone)
  values (
    current_setting('energia.organization')::int, %(id)s, %(name)s, %(currency)s, %(timezone)s)
  on conflict (organization_id, id) do update set
    name = excluded.name, currency = excluded.currency, timezone = excluded.timezone
  returning xmax = 0 as made
), gone as (
  delete from tariff_version
  where organization_id = current_setting('energia.organization')::int
    and tariff_id = %(id)s and valid_from <> all (%(valid_from)s::date[])
), listed as (
  insert into tariff_version (organization_id, tariff_id, valid_from, valid_to, document)
  select current_setting('energia.organization')::int, %(id)s, valid_from, valid_to, document::json
  from unnest(%(valid_from)s::date[], %(valid_to)s::date[], %(documents)s::text[])
    as version (valid_from, valid_to, document)
  on conflict (organization_id, tariff_id, valid_from) do update set
    valid_to = excluded.valid_to, document = excluded.document
)
select made from head

-- name: tariff_add
-- Make a tariff, unless there is one: a row if it was made.
with head as (
  insert into tariff (organization_id, id, name, currency, timezone)
  values (
    current_setting('energia.organization')::int, %(id)s, %(name)s, %(currency)s, %(timezone)s)
  on conflict do nothing
  returning id
), listed as (
  insert into tariff_version (organization_id, tariff_id, valid_from, valid_to, document)
  select current_setting('energia.organization')::int, head.id, valid_from, valid_to, document::json
  from head, unnest(%(valid_from)s::date[], %(valid_to)s::date[], %(documents)s::text[])
    as version (valid_from, valid_to, document)
)
select id from head

-- name: tariff_get
-- Some tariffs, each with its versions in the order of their dates.
select t.id, t.name, t.currency, t.timezone, v.versions
from tariff t
join lateral (
  select json_agg(document order by valid_from) as versions
  from tariff_version
  where organization_id = t.organization_id and tariff_id = t.id) v on true
where t.organization_id = current_setting('energia.organization')::int and t.id = any (%(ids)s)

-- name: tariff_hold
-- Hold some tariffs as they are against those who would put other ones. In one message with the
-- statement that reads them, which sees what this one may have waited for.
select id
from tariff
where organization_id = current_setting('energia.organization')::int and id = any(%(ids)s)
order by id
for share

-- name: tariff_list
-- A page of tariffs after an id, each with its versions in the order of their dates.
select t.id, t.name, t.currency, t.timezone, v.versions
from tariff t
join lateral (
  select json_agg(document order by valid_from) as versions
  from tariff_version
  where organization_id = t.organization_id and tariff_id = t.id) v on true
where t.organization_id = current_setting('energia.organization')::int and t.id > %s
order by t.id
limit %s

-- name: tariff_any
-- Whether there is any tariff, of whoever asks or of all organizations.
select exists (select from tariff)

-- name: tariff_needs
-- Kinds of charge that are not among some, with how many tariffs of whoever asks, or of all
-- organizations, have each and the first of them.
select charge ->> 'kind', count(distinct (v.organization_id, v.tariff_id))::int, min(v.tariff_id)
from tariff_version v
cross join lateral json_array_elements(v.document -> 'charges') charge
where charge ->> 'kind' <> all(%(kinds)s::text[])
group by 1
order by 1

-- name: tariff_delete
-- Delete a tariff with its versions.
delete from tariff
where organization_id = current_setting('energia.organization')::int and id = %s
