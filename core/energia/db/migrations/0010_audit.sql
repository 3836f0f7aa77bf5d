-- The audit log: who changed what, before and after, written by triggers.

-- The triggers below wait for writers, with some tables locked already. Given up before the server
-- looks for a deadlock (1 s): whoever serves meanwhile is not the victim.
set local lock_timeout = '300ms';

-- One entry for each thing that a transaction has changed, however many statements that took. What
-- a meter or a tariff is made of (channels, versions) is part of its entry: those that changed.
create table audit (
  id bigint generated always as identity primary key,
  organization_id int not null,
  recorded_at timestamptz not null default now(),
  transaction_id xid8 not null default pg_current_xact_id(),
  caller text not null,
  caller_name text,
  request_id text,
  resource text not null,
  resource_id text not null,
  action text not null,
  before jsonb,
  after jsonb,
  -- Both: the numbers of transactions begin anew in a server that was restored from a dump.
  constraint audit_change
    unique (organization_id, resource, resource_id, recorded_at, transaction_id)
);
create index audit_page on audit (organization_id, recorded_at, id);
create index audit_age on audit using brin (recorded_at);

call energia_row_security('audit');

-- Append only: entries are made by the triggers below, and retention alone takes them away.

create function audit_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is append only' using errcode = 'insufficient_privilege';
end
$$;

create trigger audit_made before insert on audit
  for each row when (pg_trigger_depth() = 0) execute function audit_refuse();
-- A transaction may add to its own entries.
create trigger audit_kept before update on audit
  for each row when (pg_trigger_depth() = 0 or old.transaction_id <> pg_current_xact_id()
    or old.recorded_at <> now()) execute function audit_refuse();
create trigger audit_lasts before delete on audit
  for each row when (current_setting('energia.audit_expiry', true) is distinct from 'on'
    or old.recorded_at >= now() - interval '1 day') execute function audit_refuse();
create trigger audit_whole before truncate on audit
  for each statement execute function audit_refuse();
revoke insert, update, truncate on audit from public;

-- How entries are made.

-- Put two states of one thing together: of what both have, the second one's, but parts by their
-- own keys.
create function audit_together(resource text, one jsonb, two jsonb) returns jsonb
language sql immutable as $$
  select coalesce(one || two || coalesce((
      select jsonb_object_agg(part, (one -> part) || (two -> part))
      from unnest(case resource when 'meter' then '{channels}' when 'tariff' then
        '{versions,superseded}' when 'contract' then '{superseded}' end::text[]) as parts (part)
      where one ? part and two ? part), '{}'), one, two)
$$;

-- Enter what rows were and what they are. As its owner: who changes a table need not be allowed to
-- write here, and then cannot.
--   kind: the resource; null where rows say it themselves
--   keys: the columns that make its id
--   part, place: what the rows are to the resource, and the column that tells them apart
--   changed: the action that it is when a row has changed
--   secrets: columns that are compared, and not kept
create function audit_enter(olds jsonb[], news jsonb[], kind text, keys text[], part text,
  place text, changed text, secrets text[]) returns void
language plpgsql security definer as $$
declare
  ours constant text := current_setting('energia.organization', true);
  limits constant text := current_setting('energia.limits', true);
  theirs text;
begin
  for theirs in
    select distinct coalesce(body ->> 'organization_id', body ->> 'id') from unnest(olds || news) body
  loop
    -- For the policies: an organization that is made is not the one that asks, and who is limited
    -- to some sites writes here all the same.
    perform set_config('energia.organization', theirs, true), set_config('energia.limits', '', true);
    insert into audit as a (organization_id, caller, caller_name, request_id, resource,
      resource_id, action, before, after)
    with state as (
      select at, coalesce(kind, body ->> 'kind') as resource,
        array_to_string(array(select body ->> key from unnest(keys) key), '@') as thing,
        coalesce(body ->> place, '') as piece,
        case when part is null then body - 'organization_id'
          else body - 'organization_id' - 'kind' - keys end as body
      from (select 'old' as at, body from unnest(olds) body
        union all select 'new', body from unnest(news) body) given
      where coalesce(body ->> 'organization_id', body ->> 'id') = theirs
    ), difference as (
      select resource, thing, piece, old.body as before, new.body as after
      from (select * from state where at = 'old') old
      full join (select * from state where at = 'new') new using (resource, thing, piece)
      where old.body is distinct from new.body
    )
    select theirs::int,
      coalesce(nullif(current_setting('energia.caller', true), ''), 'database:' || session_user),
      nullif(current_setting('energia.caller_name', true), ''),
      nullif(current_setting('energia.request', true), ''),
      resource, thing,
      case when part is not null then changed
        when bool_and(before is null) then 'create' when bool_and(after is null) then 'delete'
        when resource = 'bill' and min(after ->> 'status') = 'corrected' then 'correct'
        else changed end,
      case when part is null then (array_agg(before))[1] - secrets
        when not bool_and(before is null) then jsonb_build_object(part,
          jsonb_object_agg(piece, before) filter (where before is not null)) end,
      case when part is null then (array_agg(after))[1] - secrets
        when not bool_and(after is null) then jsonb_build_object(part,
          jsonb_object_agg(piece, after) filter (where after is not null)) end
    from difference
    group by resource, thing
    on conflict on constraint audit_change do update set
      action = case
        when a.action = 'delete' and excluded.action = 'create' then 'update'
        when 'delete' in (a.action, excluded.action) then 'delete'
        when 'create' in (a.action, excluded.action) then 'create'
        when 'update' = a.action then excluded.action
        else a.action end,
      before = audit_together(a.resource, excluded.before, a.before),
      after = audit_together(a.resource, a.after, excluded.after);
  end loop;
  perform set_config('energia.organization', coalesce(ours, ''), true),
    set_config('energia.limits', coalesce(limits, ''), true);
end
$$;
revoke execute on function audit_enter(jsonb[], jsonb[], text, text[], text, text, text, text[])
  from public;

-- What an entry says of a bill; the bill itself keeps what it charges, and by what.
create function audit_bill(b bill) returns jsonb language sql stable as $$
  select jsonb_build_object('organization_id', b.organization_id, 'id', b.id,
    'contract', b.contract_id, 'start', b.start_day, 'end', b.end_day, 'status', b.status,
    'corrects', b.corrects, 'issued_at', b.issued_at, 'tariff', b.tariff_id)
$$;

-- The trigger: its arguments are those of `audit_enter` after the rows, and the columns that change
-- by themselves, which is no change. An empty one is null.
create function audit_change() returns trigger language plpgsql security definer as $$
declare
  apart constant text[] := tg_argv[6];
  olds jsonb[] := '{}';
  news jsonb[] := '{}';
begin
  if tg_op <> 'INSERT' then
    olds := array(select to_jsonb(r) - apart from old_rows r);
  end if;
  if tg_op <> 'DELETE' then
    news := array(select to_jsonb(r) - apart from new_rows r);
  end if;
  if olds || news <> '{}' then
    perform audit_enter(olds, news, nullif(tg_argv[0], ''), tg_argv[1]::text[],
      nullif(tg_argv[2], ''), nullif(tg_argv[3], ''), tg_argv[4], tg_argv[5]::text[]);
  end if;
  return null;
end
$$;

-- The same for bills: drafts are made and priced anew without an entry.
create function audit_bill_change() returns trigger language plpgsql security definer as $$
declare
  olds jsonb[] := '{}';
  news jsonb[] := '{}';
begin
  if tg_level = 'ROW' then
    news := array[audit_bill(new)];
  elsif tg_op = 'DELETE' then
    olds := array(select audit_bill(o) || jsonb_build_object('document', o.document)
      from old_rows o);
  elsif exists (select from old_rows o join new_rows n using (organization_id, id)
      where o.status <> n.status) then
    olds := array(select audit_bill(o) from old_rows o join new_rows n using (organization_id, id)
      where o.status <> n.status);
    news := array(select audit_bill(n) from old_rows o join new_rows n using (organization_id, id)
      where o.status <> n.status);
  end if;
  if olds || news <> '{}' then
    perform audit_enter(olds, news, 'bill', '{id}', null, null, 'issue', '{}');
  end if;
  return null;
end
$$;

-- Watch a table: three triggers, as one may not see the rows of several kinds of statement.
create procedure audit_watch(watched regclass, kind text, keys text[], part text default '',
  place text default '', changed text default 'update', secrets text[] default '{}',
  apart text[] default '{}')
language plpgsql as $$
declare
  arguments constant text := format('%L, %L, %L, %L, %L, %L, %L', kind, keys, part, place,
    changed, secrets, apart);
begin
  execute format('create trigger audit_insert after insert on %s referencing new table as new_rows'
    ' for each statement execute function audit_change(%s)', watched, arguments);
  execute format('create trigger audit_update after update on %s referencing old table as old_rows'
    ' new table as new_rows for each statement execute function audit_change(%s)', watched,
    arguments);
  execute format('create trigger audit_delete after delete on %s referencing old table as old_rows'
    ' for each statement execute function audit_change(%s)', watched, arguments);
end
$$;

call audit_watch('organization', 'organization', '{id}');
call audit_watch('site', 'site', '{id}');
call audit_watch('meter', 'meter', '{id}');
call audit_watch('channel', 'meter', '{meter_id}', 'channels', 'name', apart => '{id}');
call audit_watch('tariff', 'tariff', '{id}');
call audit_watch('tariff_version', 'tariff', '{tariff_id}', 'versions', 'valid_from');
call audit_watch('contract', 'contract', '{id}');
call audit_watch('superseded', '', '{id}', 'superseded', 'number', 'correct',
  apart => '{document}');
call audit_watch('holiday_list', 'holiday_list', '{id,version}');
call audit_watch('price_series', 'price_series', '{id}', apart => '{longest,revised_at}');

do $$
begin
  if to_regclass('access_token') is not null then
    call audit_watch('access_token', 'token', '{prefix}', secrets => '{hash,former_hash}',
      apart => '{used_at}');
  end if;
  -- Who is limited to some sites or meters sees nothing of a log of everything.
  if to_regprocedure('energia_unlimited()') is not null then
    execute 'create policy limits on audit as restrictive using (energia_unlimited())';
  end if;
end
$$;

create trigger audit_insert after insert on bill
  for each row when (new.status <> 'draft') execute function audit_bill_change();
create trigger audit_update after update on bill
  referencing old table as old_rows new table as new_rows
  for each statement execute function audit_bill_change();
create trigger audit_delete after delete on bill
  referencing old table as old_rows for each statement execute function audit_bill_change();

-- As their owner they look for names where they were made, and nowhere else.
do $$
declare
  one regprocedure;
begin
  for one in select oid from pg_proc where pronamespace = current_schema()::regnamespace
    and proname in ('audit_enter', 'audit_change', 'audit_bill_change', 'audit_together')
  loop
    execute format('alter function %s set search_path = %I, pg_temp', one, current_schema());
    execute format('alter function %s set plan_cache_mode = force_generic_plan', one);
  end loop;
end
$$;
