-- An organization sees its own rows alone, whatever a statement asks for.

-- `force` binds the owner of the tables as well. The setting `energia.organization`, which every
-- message begins with, is the key of an organization, or `*` for every one of them: migrations, and
-- work that goes over all organizations on purpose. Where it is not set there are no rows.

-- Given up before the server looks for a deadlock (1 s): whoever serves meanwhile is not the victim.
set local lock_timeout = '300ms';

-- Bind the rows of a table to the organization that a column is the key of, unless they are bound;
-- the migrations of plugins call it, too.
create procedure energia_row_security(bound regclass, key name default 'organization_id')
language plpgsql as $$
begin
  if exists (select from pg_class c where c.oid = bound and c.relforcerowsecurity) then
    return;
  end if;
  -- Subqueries: they are worked out once for a statement, and not for every row.
  execute format('create policy organization on %s using ('
    '%I = (select'
    ' nullif(nullif(current_setting(''energia.organization'', true), ''''), ''*'')::int)'
    ' or (select current_setting(''energia.organization'', true) = ''*''))', bound, key);
  execute format('alter table %s enable row level security, force row level security', bound);
end
$$;

-- Every table there is, those of plugins that came before this file included.
do $$
declare
  bound regclass;
begin
  for bound in
    select c.oid
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
      and a.atttypid = 'int'::regtype
    order by c.relname
  loop
    call energia_row_security(bound);
  end loop;
end
$$;

call energia_row_security('organization', 'id');

-- As whoever asks, and not as its owner, who may be a superuser.
alter view reading set (security_invoker = true);
