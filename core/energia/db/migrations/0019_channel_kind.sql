-- 0.1.0 takes each channel for one of slots, and writes it so when it replaces a meter. What a
-- channel is that has no slots, or of which reads or stretches are stored, stays with it.
create function energia_keep_channel_kind() returns trigger language plpgsql as $$
begin
  if (old.by_days and new.by_days)
    or exists (select from register_read where channel_id = old.id)
    or exists (select from stretch where channel_id = old.id)
  then
    new.kind := old.kind;
    new.interval_seconds := old.interval_seconds;
    new.offset_seconds := old.offset_seconds;
  end if;
  return new;
end
$$;
create trigger keep_kind before update on channel for each row
  when (old.kind in ('register', 'irregular') and new.kind not in ('register', 'irregular'))
  execute function energia_keep_channel_kind();
