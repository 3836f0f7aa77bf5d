-- `issued_at` of the event `bill.issued` is written as all instants of the API are: in UTC, with six
-- decimals. As PostgreSQL writes it trailing zeros are left out, which not every parser reads.

create or replace function webhook_bill_issued() returns trigger language plpgsql as $$
begin
  if energia_webhook_wanted('bill.issued') then
    perform energia_webhook_tell('bill.issued', json_build_object(
      'bill', new.id, 'contract', new.contract_id, 'meter', new.meter_id, 'tariff', new.tariff_id,
      'start', new.start_day, 'end', new.end_day, 'currency', new.document ->> 'currency',
      'total', new.document ->> 'total', 'corrects', new.corrects, 'issued_at',
      to_char(new.issued_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')));
  end if;
  return null;
end
$$;
