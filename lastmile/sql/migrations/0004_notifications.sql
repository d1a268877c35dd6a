-- Telling people: where a delivery's recipient and the staff are told. Append-only, as all.

-- The recipient's address comes with the booking, and may change with each version of it.
alter table booking add column email varchar;
alter table booking add column language varchar;  -- de | en

-- One row per person or role of the staff, and change of it; the last by recorded_at counts.
create table staff_contact (
    name varchar not null, recorded_at timestamptz not null, actor varchar not null,
    roles varchar[] not null,           -- what is told to an owner role reaches all who have it
    email varchar, webhook varchar,     -- at least one of both while `told`
    language varchar not null,
    told boolean not null               -- false: not told any more
);
