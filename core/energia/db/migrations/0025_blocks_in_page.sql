-- Eight blocks of 96 slots fit in a page, where seven did: what is loaded by days takes an eighth
-- less. What is left free has room for one block that is put in place; where a statement puts values
-- into all blocks of a page, as each slot of a live day does, blocks move until pages have room.

-- Given up before the server looks for a deadlock (1 s): whoever serves meanwhile is not the victim.
set local lock_timeout = '300ms';

alter table reading_day set (fillfactor = 86);
