-- Tokens: who may do what. Only the hash of a secret is kept.

create table access_token (
  organization_id int not null references organization,
  -- The part that everybody may read; it begins with the organization's key.
  prefix text not null,
  -- SHA-256 of a secret of 256 random bits.
  hash bytea not null,
  -- The secret before the last rotation, and until when it is taken as well.
  former_hash bytea,
  former_until timestamptz,
  name text not null,
  scopes text[] not null,
  -- The only sites and meters that it is for; null for all.
  sites text[],
  meters text[],
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  used_at timestamptz,
  revoked_at timestamptz,
  primary key (organization_id, prefix)
);
