-- name: contract_get
-- Some contracts, with the zones of their sites.
select c.id, c.meter_id, c.tariff_id, c.start_day, c.end_day, c.parameters, c.channels, s.timezone
from contract c
join meter m on m.organization_id = c.organization_id and m.id = c.meter_id
join site s on s.organization_id = c.organization_id and s.id = m.site_id
where c.organization_id = current_setting('energia.organization')::int and c.id = any(%(ids)s)
order by c.id

-- name: contract_hold
-- Hold some contracts against other writers, of themselves and of their bills. In one message with
-- the statement that reads them, which sees what this one may have waited for.
select id
from contract
where organization_id = current_setting('energia.organization')::int and id = any(%(ids)s)
order by id
for no key update

-- name: contract_list
-- The ids of a page of contracts after an id.
select id
from contract
where organization_id = current_setting('energia.organization')::int and id > %(after)s
  and (%(meter)s::text is null or meter_id = %(meter)s)
  and (%(tariff)s::text is null or tariff_id = %(tariff)s)
order by id
limit %(limit)s

-- name: contract_in_period
-- The ids of contracts in force in part of a period, after an id.
select id
from contract
where organization_id = current_setting('energia.organization')::int and id > %(after)s
  and start_day < %(end)s and (end_day is null or end_day > %(start)s)
order by id
limit %(limit)s

-- name: contract_ranges
-- Cut the contracts in force in part of a period, or those that are named, into ranges of a job, each
-- of so many at most; none where it has ranges.
with chosen as (
  select id
  from contract
  where organization_id = current_setting('energia.organization')::int
    and %(contracts)s::text[] is null
    and start_day < %(end)s and (end_day is null or end_day > %(start)s)
  union
  select unnest(%(contracts)s::text[])
), numbered as (
  select id, (row_number() over (order by id) - 1) / %(size)s as number
  from chosen
)
insert into job_range (organization_id, job_id, number, ids, size)
select current_setting('energia.organization')::int, %(job)s, number, array_agg(id order by id),
  count(*)
from numbered
where not exists (
  select from job_range
  where organization_id = current_setting('energia.organization')::int and job_id = %(job)s)
group by number

-- name: contract_of_meters
-- The ids of the contracts of some meters that are in force in part of a period.
select id
from contract
where organization_id = current_setting('energia.organization')::int and meter_id = any(%(meters)s)
  and start_day < %(end)s and (end_day is null or end_day > %(start)s)
order by id
limit %(limit)s

-- name: contract_in_period_count
-- How many contracts are in force in part of a period.
select count(*)
from contract
where organization_id = current_setting('energia.organization')::int
  and start_day < %(end)s and (end_day is null or end_day > %(start)s)

-- name: contract_meter
-- Hold a meter against other writers of its contracts; its site's zone.
select s.timezone
from meter m
join site s on s.organization_id = m.organization_id and s.id = m.site_id
where m.organization_id = current_setting('energia.organization')::int and m.id = %s
for no key update of m

-- name: contract_others
-- Other contracts of a meter that are in force in part of a period.
select id, start_day, end_day
from contract
where organization_id = current_setting('energia.organization')::int and meter_id = %(meter)s
  and id <> %(id)s
  and start_day < coalesce(%(end)s::date, 'infinity')
  and coalesce(end_day, 'infinity'::date) > %(start)s
order by start_day

-- name: contract_put
-- Make a contract or replace it; true if it was made.
insert into contract (organization_id, id, meter_id, tariff_id, start_day, end_day, parameters,
  channels)
values (current_setting('energia.organization')::int, %(id)s, %(meter)s, %(tariff)s, %(start)s,
  %(end)s, %(parameters)s::json, %(channels)s::json)
on conflict (organization_id, id) do update set
  meter_id = excluded.meter_id, tariff_id = excluded.tariff_id, start_day = excluded.start_day,
  end_day = excluded.end_day, parameters = excluded.parameters, channels = excluded.channels
returning xmax = 0

-- name: contract_delete
-- Delete a contract; its bills refer to it.
delete from contract
where organization_id = current_setting('energia.organization')::int and id = %s

-- name: contract_hold_at
-- Hold the contracts of a meter, or of all meters of a site, against those who issue bills.
select c.id
from contract c
join meter m on m.organization_id = c.organization_id and m.id = c.meter_id
where c.organization_id = current_setting('energia.organization')::int
  and (m.site_id = %(site)s or m.id = %(meter)s)
order by c.id
for no key update of c

-- name: contracts_billed
-- Until when some contracts are billed; null if none is.
select max(end_day)
from bill
where organization_id = current_setting('energia.organization')::int and contract_id = any(%s)
  and status <> 'draft'

-- name: contract_currencies
-- The currencies of the bills of a contract that are issued.
select distinct document ->> 'currency'
from bill
where organization_id = current_setting('energia.organization')::int and contract_id = %s
  and status <> 'draft'

-- name: contract_supersede
-- Keep what a contract says for the bills of it, which name its number from now on.
with old as (
  insert into superseded (organization_id, kind, id, number, superseded_at, reason, document)
  select c.organization_id, 'contract', c.id,
    1 + coalesce((
      select max(s.number)
      from superseded s
      where s.organization_id = c.organization_id and s.kind = 'contract' and s.id = c.id), 0),
    %(now)s, %(reason)s,
    json_build_object('id', c.id, 'meter', c.meter_id, 'tariff', c.tariff_id, 'start', c.start_day,
      'end', c.end_day, 'parameters', c.parameters, 'channels', c.channels)
  from contract c
  where c.organization_id = current_setting('energia.organization')::int and c.id = %(id)s
  returning number
)
update bill set contract_superseded = old.number
from old
where organization_id = current_setting('energia.organization')::int and contract_id = %(id)s
  and status <> 'draft' and contract_superseded is null

-- name: tariff_supersede
-- Keep what a tariff says for the bills by it, which name its number from now on.
with old as (
  insert into superseded (organization_id, kind, id, number, superseded_at, reason, document)
  select t.organization_id, 'tariff', t.id,
    1 + coalesce((
      select max(s.number)
      from superseded s
      where s.organization_id = t.organization_id and s.kind = 'tariff' and s.id = t.id), 0),
    %(now)s, %(reason)s,
    json_build_object('id', t.id, 'name', t.name, 'currency', t.currency, 'timezone', t.timezone,
      'versions', (
        select json_agg(v.document order by v.valid_from)
        from tariff_version v
        where v.organization_id = t.organization_id and v.tariff_id = t.id))
  from tariff t
  where t.organization_id = current_setting('energia.organization')::int and t.id = %(id)s
  returning number
)
update bill set tariff_superseded = old.number
from old
where organization_id = current_setting('energia.organization')::int and tariff_id = %(id)s
  and status <> 'draft' and tariff_superseded is null

-- name: superseded_get
-- What some tariffs or contracts said, by their numbers.
select s.id, s.number, s.document
from unnest(%(ids)s::text[], %(numbers)s::int[]) as asked (id, number)
join superseded s on s.organization_id = current_setting('energia.organization')::int
  and s.kind = %(kind)s and s.id = asked.id and s.number = asked.number

-- name: superseded_list
-- What a tariff or a contract said before, beyond a number, with how many bills are by it.
select s.number, s.superseded_at, s.reason, s.document, (
  select count(*)::int
  from bill b
  where b.organization_id = s.organization_id and (
    (s.kind = 'tariff' and b.tariff_id = s.id and b.tariff_superseded = s.number)
    or (s.kind = 'contract' and b.contract_id = s.id and b.contract_superseded = s.number)))
from superseded s
where s.organization_id = current_setting('energia.organization')::int and s.kind = %(kind)s
  and s.id = %(id)s and s.number > %(after)s
order by s.number
limit %(limit)s

-- name: tariff_billed
-- Whether bills are issued by a tariff.
select exists (
  select from bill
  where organization_id = current_setting('energia.organization')::int and tariff_id = %s
    and status <> 'draft')

-- name: tariff_lock
-- Hold a tariff against those who hold it as it is, and other writers.
select id
from tariff
where organization_id = current_setting('energia.organization')::int and id = %s
for no key update

-- name: bill_versions
-- The first and the last version of a tariff by which bills are issued, by their first days; what
-- was superseded is kept elsewhere.
select distinct version_from, coalesce(last_version, version_from)
from bill
where organization_id = current_setting('energia.organization')::int and tariff_id = %s
  and status <> 'draft' and tariff_superseded is null

-- name: bill_version_ends
-- Until when bills by each of some versions are that end after its new end: the version
-- ended as it was billed where another one follows within the bill.
select asked.version_from,
  max(case when b.last_version > asked.version_from then asked.billed else b.end_day end)
from unnest(%(versions)s::date[], %(ends)s::date[], %(billed)s::date[])
  as asked (version_from, end_day, billed)
join bill b on b.organization_id = current_setting('energia.organization')::int
  and b.tariff_id = %(tariff)s and b.status <> 'draft' and b.tariff_superseded is null
  and asked.version_from between b.version_from and coalesce(b.last_version, b.version_from)
  and b.end_day > asked.end_day
group by 1
order by 1

-- name: bill_get
-- Some bills, with those that they correct and that correct them; before when the readings of their
-- meters were deleted.
select b.id, b.contract_id, b.meter_id, b.tariff_id, b.start_day, b.end_day, b.status, b.corrects,
  n.id, o.document ->> 'total', b.document, b.basis, b.parameters, b.prior_state, b.state,
  b.version_from, b.channels, b.revisions, b.created_at, b.priced_at, b.issued_at,
  b.price_series, b.price_revisions, b.tariff_superseded, b.contract_superseded, (
    select max(d.before_at)
    from deletion d
    where d.organization_id = b.organization_id
      and (d.meter_id = b.meter_id or d.meter_id is null))
from unnest(%(ids)s::text[]) with ordinality as asked (id, k)
join bill b on b.organization_id = current_setting('energia.organization')::int
  and b.id = asked.id
left join bill o on o.organization_id = b.organization_id and o.id = b.corrects
left join bill n on n.organization_id = b.organization_id and n.corrects = b.id
  and n.status <> 'draft'
order by asked.k

-- name: bill_hold
-- Hold the contract of a bill, and so the bill, against other writers; in one message, as above.
select id
from contract
where organization_id = current_setting('energia.organization')::int
  and id = (
    select contract_id from bill
    where organization_id = current_setting('energia.organization')::int and id = %(id)s)
for no key update

-- name: bill_list
-- The ids of a page of bills made before a time and an id, the newest first.
select id
from bill
where organization_id = current_setting('energia.organization')::int
  and (%(contract)s::text is null or contract_id = %(contract)s)
  and (%(meter)s::text is null or meter_id = %(meter)s)
  and (%(status)s::text is null or status = %(status)s)
  and (%(start)s::date is null or start_day >= %(start)s)
  and (%(end)s::date is null or start_day < %(end)s)
  and (%(before)s::text is null or (created_at, id) < (%(at)s::timestamptz, %(before)s))
order by created_at desc, id desc
limit %(limit)s

-- name: bill_chains
-- The ids of issued bills after that of a contract that ends on a day: by contract, the oldest first.
select id
from bill
where organization_id = current_setting('energia.organization')::int and status = 'issued'
  and (%(contract)s::text is null or contract_id = %(contract)s)
  and (%(meter)s::text is null or meter_id = %(meter)s)
  and (%(end)s::date is null or start_day < %(end)s)
  and (contract_id, end_day) > (%(after)s, %(after_end)s)
order by contract_id, end_day
limit %(limit)s

-- name: bills_in
-- The drafts and issued bills in part of a period, for each of some contracts.
select b.id, b.contract_id, b.start_day, b.end_day, b.status, b.corrects
from unnest(%(contracts)s::text[], %(starts)s::date[], %(ends)s::date[])
  as asked (contract_id, start_day, end_day)
join bill b on b.organization_id = current_setting('energia.organization')::int
  and b.contract_id = asked.contract_id and b.status <> 'corrected'
  and b.start_day < asked.end_day and b.end_day > asked.start_day
order by b.contract_id, b.start_day, b.id

-- name: bill_prior
-- The newest issued bill that ends by a day, for each of some contracts that has one.
select distinct on (asked.k) asked.k::int, b.id, b.end_day, b.state
from unnest(%(contracts)s::text[], %(days)s::date[]) with ordinality as asked (contract_id, day, k)
join bill b on b.organization_id = current_setting('energia.organization')::int
  and b.contract_id = asked.contract_id and b.status = 'issued' and b.end_day <= asked.day
order by asked.k, b.end_day desc

-- name: bill_put
-- Make drafts, or price them anew; the ids of those that are drafts.
insert into bill (organization_id, id, contract_id, start_day, end_day, status, corrects,
  created_at, priced_at, meter_id, tariff_id, version_from, last_version, parameters, channels,
  revisions, price_series, price_revisions, prior_state, state, document, basis)
select current_setting('energia.organization')::int, id, contract_id, start_day, end_day, 'draft',
  corrects, %(now)s, %(now)s, meter_id, tariff_id, version_from, last_version, parameters::json,
  channels::bigint[], revisions::timestamptz[], price_series::text[],
  price_revisions::timestamptz[], prior_state::json, state::json, document::json,
  basis::json
from unnest(%(id)s::text[], %(contract)s::text[], %(start)s::date[], %(end)s::date[],
    %(corrects)s::text[], %(meter)s::text[], %(tariff)s::text[], %(version)s::date[],
    %(last_version)s::date[], %(parameters)s::text[], %(channels)s::text[],
    %(revisions)s::text[], %(price_series)s::text[], %(price_revisions)s::text[],
    %(prior_state)s::text[], %(state)s::text[], %(document)s::text[],
    %(basis)s::text[])
  as made (id, contract_id, start_day, end_day, corrects, meter_id, tariff_id, version_from,
    last_version, parameters, channels, revisions, price_series, price_revisions, prior_state,
    state, document, basis)
on conflict (organization_id, id) do update set
  priced_at = excluded.priced_at, meter_id = excluded.meter_id, tariff_id = excluded.tariff_id,
  version_from = excluded.version_from, last_version = excluded.last_version,
  parameters = excluded.parameters, channels = excluded.channels, revisions = excluded.revisions,
  price_series = excluded.price_series, price_revisions = excluded.price_revisions,
  prior_state = excluded.prior_state, state = excluded.state, document = excluded.document,
  basis = excluded.basis
where bill.status = 'draft' and bill.contract_id = excluded.contract_id
  and bill.start_day = excluded.start_day and bill.end_day = excluded.end_day
returning id

-- name: bill_issue
-- Issue drafts: the bills that they correct are corrected from now on.
update bill set status = 'corrected'
from bill draft
where draft.organization_id = current_setting('energia.organization')::int
  and draft.id = any(%(ids)s) and bill.organization_id = draft.organization_id
  and bill.id = draft.corrects and bill.status = 'issued';
update bill set status = 'issued', issued_at = %(now)s
where organization_id = current_setting('energia.organization')::int and id = any(%(ids)s)
  and status = 'draft'

-- name: bill_delete
-- Delete a draft.
delete from bill
where organization_id = current_setting('energia.organization')::int and id = %s
  and status = 'draft'

-- name: to_date_get
-- What was measured of a growing bill, up to an instant.
select measured_until, revisions, measured
from cost_to_date
where organization_id = current_setting('energia.organization')::int
  and contract_id = %(contract)s and start_day = %(start)s and measured_until <= %(end)s
  and basis::text = %(basis)s

-- name: to_date_put
-- Keep what was measured of a growing bill.
insert into cost_to_date (organization_id, contract_id, start_day, measured_until, revisions,
  basis, measured)
values (current_setting('energia.organization')::int, %(contract)s, %(start)s, %(until)s,
  %(revisions)s, %(basis)s, %(measured)s)
on conflict (organization_id, contract_id, start_day) do update set
  measured_until = excluded.measured_until, revisions = excluded.revisions,
  basis = excluded.basis, measured = excluded.measured

-- name: bill_repriced
-- Those of some bills whose price series have a newer revision of a slot that may be of the period.
-- The instants are worked out before the join, so that the index finds them.
with seen as materialized (
  select b.id, s.organization_id, s.id as series, coalesce(seen.revision, '-infinity') as revision,
    (b.start_day - 1)::timestamptz - make_interval(secs => s.longest) as first,
    (b.end_day + 1)::timestamptz as past
  from bill b
  cross join unnest(b.price_series, b.price_revisions) as seen (series, revision)
  join price_series s on s.organization_id = b.organization_id and s.id = seen.series
  where b.organization_id = current_setting('energia.organization')::int and b.id = any(%s)
)
select distinct seen.id
from seen
where exists (
  select from price p
  where p.organization_id = seen.organization_id and p.series_id = seen.series
    and p.start_at < seen.past and p.start_at > seen.first and p.recorded_at > seen.revision)

-- name: deletion_drafts
-- Delete the drafts that are made from a meter's readings before a day, which is null for all.
delete from bill
where organization_id = current_setting('energia.organization')::int and status = 'draft'
  and meter_id = %(meter)s and (%(before)s::date is null or start_day < %(before)s)

-- name: deletion_to_date
-- Delete what was measured of growing bills by a meter's readings before a day, null for all.
delete from cost_to_date t
using contract c
where c.organization_id = current_setting('energia.organization')::int
  and c.meter_id = %(meter)s and t.organization_id = c.organization_id and t.contract_id = c.id
  and (%(before)s::date is null or t.start_day < %(before)s)

-- name: deletion_contracts
-- Delete the contracts of a meter that have no bills.
delete from contract c
where organization_id = current_setting('energia.organization')::int and meter_id = %(meter)s
  and not exists (
    select from bill b where b.organization_id = c.organization_id and b.contract_id = c.id)

-- name: deletion_contract_ends
-- End the contracts of a meter where their bills do; how many issued bills there are of it.
with billed as materialized (
  select contract_id, max(end_day) as end_day
  from bill
  where organization_id = current_setting('energia.organization')::int
    and contract_id in (
      select id from contract
      where organization_id = current_setting('energia.organization')::int
        and meter_id = %(meter)s)
  group by contract_id
), e as (
  update contract c set end_day = billed.end_day
  from billed
  where c.organization_id = current_setting('energia.organization')::int
    and c.id = billed.contract_id and coalesce(c.end_day, 'infinity') > billed.end_day
)
select (select count(*) from billed) > 0

-- name: retention_drafts
-- Delete the drafts that may be made from readings before a day, whatever their zones.
delete from bill
where organization_id = current_setting('energia.organization')::int and status = 'draft'
  and start_day <= %(first)s

-- name: retention_to_date
-- Delete what was measured of growing bills by readings that may be of before a day.
delete from cost_to_date
where organization_id = current_setting('energia.organization')::int and start_day <= %(first)s

-- name: concern_channels
-- The channels of slots at some sites, or at all, and whether a contract charges their meter today.
select ch.id, m.site_id, ch.meter_id, ch.name, ch.interval_seconds, ch.offset_seconds, s.timezone,
  exists (
    select from contract k
    where k.organization_id = m.organization_id and k.meter_id = m.id
      and k.start_day <= %(today)s and coalesce(k.end_day, 'infinity') > %(today)s) as is_charged
from channel ch
join meter m on m.organization_id = ch.organization_id and m.id = ch.meter_id
join site s on s.organization_id = m.organization_id and s.id = m.site_id
where ch.organization_id = current_setting('energia.organization')::int
  and ch.kind = 'interval' and not ch.by_days
  and (%(sites)s::text[] is null or m.site_id = any(%(sites)s))
order by m.site_id, ch.meter_id, ch.id

-- name: concern_blocks
-- Of some channels the day and the slot of the newest reading; of the days since one up to that, the
-- first that is stored, all of them unless none is missing between, and those with a slot without a
-- value. Channels without readings are left out.
select c.k, newest.day - date '1970-01-01', newest.slot, w.first - date '1970-01-01', w.days, w.holed
from unnest(%(channels)s::bigint[], %(numbers)s::int[]) as c (channel, k)
cross join lateral (
  select d.day, d."values", last.slot
  from (
    select day, energia_slots(narrow, "values") as "values"
    from reading_day r
    where r.channel_id = c.channel
    order by day desc
    limit 1) as d
  cross join lateral (
    select case when array_position(d."values", null) is null then cardinality(d."values") else (
      select max(slot)::int
      from unnest(d."values") with ordinality as u (value, slot)
      where value is not null) end as slot) as last
) as newest
left join lateral (
  select min(d.day) as first,
    case when count(*) <= newest.day - min(d.day)
      then array_agg(d.day - date '1970-01-01') end as days,
    array_agg(d.day - date '1970-01-01') filter (
      where case when d.day < newest.day
        then array_position(energia_slots(d.narrow, d."values"), null) is not null
        else array_position(newest."values"[:newest.slot], null) is not null end) as holed
  from reading_day d
  where d.channel_id = c.channel and d.day between %(first)s and newest.day
) as w on true

-- name: concern_slots
-- Of some days of channels the slots up to one for which nothing was ever sent: the first, the last,
-- and how many. Of a day that is the first one, those before its first value do not count.
select asked.n - 1, d.day - date '1970-01-01', h.first, h.last, h.slots
from unnest(%(channels)s::bigint[], %(days)s::int[], %(lasts)s::int[], %(firsts)s::bool[],
  %(numbers)s::int[]) as asked (channel, day, last, is_first, n)
cross join lateral (
  select r.day, energia_slots(r.narrow, r."values") as slots, r.quality
  from reading_day r
  where r.channel_id = asked.channel and r.day = date '1970-01-01' + asked.day
  offset 0) as d
cross join lateral (
  select min(k)::int as first, max(k)::int as last, count(*)::int as slots
  from unnest(d.slots, d.quality) with ordinality as u (value, quality, k)
  where value is null and quality is null and k <= asked.last
    and (not asked.is_first or k > (
      select min(j)
      from unnest(d.slots) with ordinality as v (value, j)
      where value is not null))
) as h
where h.slots > 0
order by asked.n

-- name: concern_contracts
-- The contracts at some sites, or at all, that end within so many days, each in the zone of its site.
select s.id, c.meter_id, c.id, c.end_day
from contract c
join meter m on m.organization_id = c.organization_id and m.id = c.meter_id
join site s on s.organization_id = m.organization_id and s.id = m.site_id
where c.organization_id = current_setting('energia.organization')::int
  and (%(sites)s::text[] is null or s.id = any(%(sites)s))
  and c.end_day > (%(now)s at time zone s.timezone)::date
  and c.end_day <= (%(now)s at time zone s.timezone)::date + %(days)s
  and not exists (
    select from contract k
    where k.organization_id = c.organization_id and k.meter_id = c.meter_id
      and k.start_day <= c.end_day and coalesce(k.end_day, 'infinity') > c.end_day)
order by c.end_day, c.id

-- name: concern_bills
-- The newest issued bills of each contract at some sites, or at all, so many of each; which revision of
-- each channel they have seen.
select s.id, c.meter_id, c.id, b.id, b.start_day, b.end_day, b.channels, b.revisions
from contract c
join meter m on m.organization_id = c.organization_id and m.id = c.meter_id
join site s on s.organization_id = m.organization_id and s.id = m.site_id
cross join lateral (
  select b.id, b.start_day, b.end_day, b.channels, b.revisions
  from bill b
  where b.organization_id = c.organization_id and b.contract_id = c.id and b.status = 'issued'
  order by b.end_day desc
  limit %(depth)s) as b
where c.organization_id = current_setting('energia.organization')::int
  and (%(sites)s::text[] is null or s.id = any(%(sites)s))
order by s.id, c.id, b.start_day

-- name: concern_feeds
-- How the price feeds of an organization are doing.
select series_id, next_update, error
from price_feed
where organization_id = current_setting('energia.organization')::int
order by name

-- name: summary_sites
-- A page of sites after an id, with how many meters there are at each.
select s.id, s.name, s.timezone, (
  select count(*)::int
  from meter m
  where m.organization_id = s.organization_id and m.site_id = s.id)
from site s
where s.organization_id = current_setting('energia.organization')::int and s.id > %(after)s
  and (%(site)s::text is null or s.id = %(site)s)
  and (%(name)s::text is null or strpos(lower(s.name || ' ' || s.id), lower(%(name)s)) > 0)
order by s.id
limit %(limit)s

-- name: summary_bills
-- The newest issued bill at each of some sites: of those that end last, the first by its id.
select distinct on (m.site_id) m.site_id, b.id, b.start_day, b.end_day,
  b.document ->> 'currency', b.document ->> 'total'
from meter m
join contract c on c.organization_id = m.organization_id and c.meter_id = m.id
cross join lateral (
  select b.id, b.start_day, b.end_day, b.document
  from bill b
  where b.organization_id = c.organization_id and b.contract_id = c.id and b.status = 'issued'
  order by b.end_day desc
  limit 1) as b
where m.organization_id = current_setting('energia.organization')::int
  and m.site_id = any(%(sites)s)
order by m.site_id, b.end_day desc, b.id

-- name: summary_meters
-- The meters at some sites, each with its site.
select id, site_id
from meter
where organization_id = current_setting('energia.organization')::int and site_id = any(%(sites)s)
order by id
