-- Webhooks: who is told of what, and what was sent.

-- The trigger waits for who writes bills. Given up before the server looks for a deadlock (1 s).
set local lock_timeout = '300ms';

create table webhook (
  organization_id int not null references organization,
  id text not null,
  url text not null,
  events text[] not null,
  description text,
  is_active boolean not null default true,
  -- Why it was switched off by itself.
  problem text,
  -- In plain, as what is sent is signed with it.
  secret text not null,
  -- The secret before the last rotation, and until when it signs as well.
  former_secret text,
  former_until timestamptz,
  -- How often in a row its receiver has taken nothing, and until when it is left alone.
  failures int not null default 0,
  quiet_until timestamptz,
  succeeded_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, id)
);

-- What happened, as it is sent: the same text at every try.
create table webhook_event (
  organization_id int not null references organization,
  id text not null,
  type text not null,
  body text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, id)
);
create index webhook_event_age on webhook_event (created_at);

create table webhook_delivery (
  organization_id int not null,
  webhook_id text not null,
  event_id text not null,
  status text not null default 'waiting' check (status in ('waiting', 'delivered', 'given_up')),
  created_at timestamptz not null default clock_timestamp(),
  -- How often it was tried, and how often in vain since it was last sent for the first time.
  tries int not null default 0,
  failures int not null default 0,
  begun_at timestamptz not null default clock_timestamp(),
  -- When it is tried next; null once it has ended.
  next_at timestamptz default clock_timestamp(),
  -- What became of the tries, the last one last.
  outcomes jsonb not null default '[]',
  primary key (organization_id, webhook_id, event_id),
  foreign key (organization_id, webhook_id) references webhook on delete cascade,
  foreign key (organization_id, event_id) references webhook_event on delete cascade
);
create index webhook_delivery_event on webhook_delivery (organization_id, event_id);
create index webhook_delivery_waiting on webhook_delivery (organization_id, webhook_id)
  where status = 'waiting';

-- What was looked for and found, so that it is told once: of what, and what was known of it.
create table webhook_finding (
  organization_id int not null references organization,
  type text not null,
  subject text not null,
  cause text not null,
  primary key (organization_id, type, subject)
);

call energia_row_security('webhook');
call energia_row_security('webhook_event');
call energia_row_security('webhook_delivery');
call energia_row_security('webhook_finding');
-- Who is limited to some sites or meters sees nothing of what is told of all.
create policy limits on webhook as restrictive using (energia_unlimited());
create policy limits on webhook_event as restrictive using (energia_unlimited());
create policy limits on webhook_delivery as restrictive using (energia_unlimited());
create policy limits on webhook_finding as restrictive using (energia_unlimited());
call audit_watch('webhook', 'webhook', '{id}', secrets => '{secret,former_secret}',
  apart => '{failures,quiet_until,succeeded_at}');

-- Whether anybody is to be told. It asks past the limits of the caller: others are told of what a
-- limited caller does.
create function energia_webhook_wanted(told text) returns boolean language plpgsql as $$
declare
  limits constant text := current_setting('energia.limits', true);
  wanted boolean;
begin
  if limits <> '' then
    perform set_config('energia.limits', '', true);
  end if;
  wanted := exists (
    select from webhook w
    where w.organization_id = current_setting('energia.organization')::int and w.is_active
      and told = any(w.events));
  if limits <> '' then
    perform set_config('energia.limits', limits, true);
  end if;
  return wanted;
end
$$;

-- Tell of something, with the transaction in which it happens: those webhooks that want it, or one
-- alone. Each delivery is a task of the engine. Nothing is told of null.
create function energia_webhook_tell(told text, about json, alone text default null) returns text
language plpgsql as $$
declare
  limits constant text := current_setting('energia.limits', true);
  ours constant int := current_setting('energia.organization')::int;
  -- Ids sort by the microsecond in which they were made.
  made text := 'msg_'
    || lpad(to_hex((extract(epoch from clock_timestamp()) * 1000000)::bigint), 14, '0')
    || left(replace(gen_random_uuid()::text, '-', ''), 18);
begin
  if about is null or alone is null and not energia_webhook_wanted(told) then
    return null;
  end if;
  if limits <> '' then
    perform set_config('energia.limits', '', true);
  end if;
  insert into webhook_event (organization_id, id, type, body)
  values (ours, made, told, format('{"type":%s,"timestamp":"%s","data":%s}', to_json(told),
    to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), about));
  with receivers as (
    insert into webhook_delivery (organization_id, webhook_id, event_id)
    select ours, w.id, made
    from webhook w
    where w.organization_id = ours
      and (w.id = alone or alone is null and w.is_active and told = any(w.events))
    for key share  -- one that is deleted meanwhile is told nothing, and nothing fails
    returning webhook_id
  )
  -- After all else: receivers may be slow, and nothing else waits for them.
  insert into procrastinate_jobs (queue_name, task_name, priority, args)
  select 'webhook-delivery', 'webhook-delivery', -1, jsonb_build_object(
    'organization', ours, 'webhook', webhook_id, 'event', made, 'tries', 0)
  from receivers;
  if not found then
    delete from webhook_event where organization_id = ours and id = made;
    made := null;
  end if;
  if limits <> '' then
    perform set_config('energia.limits', limits, true);
  end if;
  return made;
end
$$;

create function webhook_bill_issued() returns trigger language plpgsql as $$
begin
  if energia_webhook_wanted('bill.issued') then
    perform energia_webhook_tell('bill.issued', json_build_object(
      'bill', new.id, 'contract', new.contract_id, 'meter', new.meter_id, 'tariff', new.tariff_id,
      'start', new.start_day, 'end', new.end_day, 'currency', new.document ->> 'currency',
      'total', new.document ->> 'total', 'corrects', new.corrects, 'issued_at', new.issued_at));
  end if;
  return null;
end
$$;

create trigger webhook_issued after update on bill
  for each row when (old.status = 'draft' and new.status = 'issued')
  execute function webhook_bill_issued();
