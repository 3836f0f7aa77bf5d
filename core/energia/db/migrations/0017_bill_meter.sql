-- no transaction
-- The bills of a meter, the newest first.
create index concurrently if not exists bill_meter on bill (organization_id, meter_id, created_at, id);
