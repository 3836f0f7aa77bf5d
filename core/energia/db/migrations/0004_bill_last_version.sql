-- The last version of the tariff that a bill is by, where its period crosses from one to another;
-- `version_from` is the first.
alter table bill add column last_version date;
