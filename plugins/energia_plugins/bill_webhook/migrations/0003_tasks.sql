-- Deliveries are tasks of the engine; how it went last is kept for each organization.

-- Given up before the server looks for a deadlock: whoever serves meanwhile is not the victim.
set local lock_timeout = '300ms';

-- Whether a task waits for it: none does for those of 0.1.0, which are taken up.
alter table bill_webhook_delivery add column is_deferred boolean not null default false;

alter table bill_webhook_since add column succeeded_at timestamptz;
-- Why the last try was in vain; null if it was not.
alter table bill_webhook_since add column error text;
