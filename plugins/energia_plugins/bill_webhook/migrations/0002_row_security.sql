-- Deliveries are seen by their organization alone.

-- Given up before the server looks for a deadlock: whoever serves meanwhile is not the victim.
set local lock_timeout = '300ms';

call energia_row_security('bill_webhook_delivery');
call energia_row_security('bill_webhook_since');
