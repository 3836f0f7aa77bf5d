-- Which bills were told to the receiver, and which are still to be.

create table bill_webhook_delivery (
  organization_id int not null,
  bill_id text not null,
  made_at timestamptz not null,
  next_at timestamptz not null,
  tries int not null default 0,
  delivered_at timestamptz,
  failed_at timestamptz,
  last_error text,
  primary key (organization_id, bill_id)
);
create index bill_webhook_due on bill_webhook_delivery (organization_id, next_at)
  where delivered_at is null and failed_at is null;

-- Bills issued before the plugin was first configured are not told.
create table bill_webhook_since (
  organization_id int primary key,
  since timestamptz not null
);
