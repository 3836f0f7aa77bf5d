-- Seven blocks of 96 slots fit in a page, where six did: the seventh lacked a few bytes. What is left
-- free is for values that are put into blocks in place, which then need no other page and no index.

-- Given up before the server looks for a deadlock (1 s): whoever serves meanwhile is not the victim.
set local lock_timeout = '300ms';

alter table reading_day set (fillfactor = 76);
