-- Who sent an import, and which import has replaced a block: what the corrections of a channel tell.

-- Given up before the server looks for a deadlock (1 s): whoever serves meanwhile is not the victim.
set local lock_timeout = '300ms';

-- Of imports before, nobody knows; those of the release before are filled in all the same.
alter table import add column caller text;
alter table import add column caller_name text;
alter table import
  alter column caller set default nullif(current_setting('energia.caller', true), '');
alter table import
  alter column caller_name set default nullif(current_setting('energia.caller_name', true), '');

-- Null: the import of the revision after it, unless later ones have put values into that in place.
alter table reading_day_history add column superseded_by bigint;
