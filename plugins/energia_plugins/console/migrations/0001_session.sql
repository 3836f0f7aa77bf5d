-- Sessions of people who have signed in to the console.

-- Given up before the server looks for a deadlock: whoever serves meanwhile is not the victim.
set local lock_timeout = '300ms';

create table console_session (
  organization_id int not null,
  -- What the cookie says of it begins with this.
  id text not null,
  -- The bearer token, under a key that only the cookie has.
  sealed text not null,
  caller text not null,
  caller_name text not null,
  signed_in_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  primary key (organization_id, id)
);

call energia_row_security('console_session');
call audit_watch('console_session', 'session', '{id}', secrets => '{sealed}', apart => '{seen_at}');
