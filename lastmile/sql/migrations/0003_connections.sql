-- The door for other systems: who may knock, with which credential, and what was sent and not taken. Append-only, as all.

-- One row per system that may send or ask, and change of it; the last by recorded_at counts.
create table connection (
    source varchar not null, recorded_at timestamptz not null, actor varchar not null, name varchar not null,
    zone varchar not null,              -- IANA zone of its service days, and of times that carry none
    window_semantics varchar not null,  -- what must fall inside the windows that it sends
    delivery_source varchar not null    -- the system whose delivery numbers it uses; itself where they are its own
);

-- One row per token or webhook that was made. A token is kept as its hash only; a signature can't be checked against a hash,
-- so the secret that a webhook is signed with stands as it is.
create table credential (
    credential_id varchar not null, source varchar not null, kind varchar not null, -- token | webhook
    label varchar not null, scopes varchar[] not null, format varchar, sha256 varchar, signing_secret varchar,
    made_at timestamptz not null, actor varchar not null
);

-- One row per credential that was taken back.
create table revoked_credential (
    credential_id varchar not null, revoked_at timestamptz not null, actor varchar not null
);

-- One row per row that came over HTTP and was not taken, whole, with what was wrong; the same row twice is kept once.
create table quarantined_row (
    row_id uuid not null, received_at timestamptz not null, source varchar not null, credential_id varchar,
    format varchar not null,            -- what it was sent as: events, orders, …, or the format of an adapter
    raw json not null, problems json not null
);

-- One row per decision about a quarantined row: replayed (taken after all) or discarded.
create table quarantine_decision (
    row_id uuid not null, decided_at timestamptz not null, actor varchar not null, outcome varchar not null
);
