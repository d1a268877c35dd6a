-- The ledger, the master data and what imports leave behind. Append-only, except `delivery`, which is derived.
-- No keys, indexes, sequences or enums: the subset that DuckLake speaks too. Uniqueness is kept by the append.

-- One row per thing that happened, was planned or is estimated.
create table event (
    event_id uuid not null,
    type varchar not null,
    classifier varchar not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    delivery_id varchar,
    route_id varchar,
    vehicle_id varchar,
    depot_id varchar,
    lon double,
    lat double,
    accuracy_m double,
    source varchar not null,
    status_source varchar not null,
    reason varchar,
    actor varchar,
    payload json,
    corrects uuid,
    import_id varchar
);

-- One row per version of what was asked for a delivery; the first by recorded_at holds the promise.
create table booking (
    booking_id uuid not null,
    recorded_at timestamptz not null,
    delivery_id varchar not null,
    order_id varchar,
    kind varchar not null,              -- delivery | pickup
    source varchar not null,
    depot_id varchar,
    carrier_id varchar,
    service varchar,
    criticality varchar not null,
    day date,                           -- the service day in `zone`
    zone varchar not null,              -- IANA zone of the depot or the file
    window_from timestamptz,
    window_due timestamptz,
    window_semantics varchar,           -- arrival | service_start | service_end
    early_minutes double not null,      -- tolerance before window_from
    late_minutes double not null,       -- tolerance after window_due
    release_due timestamptz,            -- the cut-off by which the warehouse must have released the goods
    site_id varchar,
    recipient varchar,
    address varchar,
    area varchar,                       -- the zone of the city, as `zone` is the zone of the clock
    lon double,
    lat double,
    weight_kg double,
    volume_m3 double,
    pieces double,
    lines integer,
    service_minutes double,
    skills varchar[],
    proof varchar[],                    -- what a complete proof needs: signature, photo, temperature, documents
    penalty double,                     -- owed for a broken promise, in `currency`
    value double,
    currency varchar,
    notes varchar,
    import_id varchar
);

-- One row per depot (the last by recorded_at counts, here and in all master tables).
create table depot (
    depot_id varchar not null, recorded_at timestamptz not null, name varchar not null, lon double, lat double,
    zone varchar not null, currency varchar not null, opens varchar, closes varchar, import_id varchar
);

-- One row per carrier; discipline and cover are measured, not stored.
create table carrier (
    carrier_id varchar not null, recorded_at timestamptz not null, name varchar not null,
    kind varchar not null,              -- own | contractor | third_party | crowd
    import_id varchar
);

-- One row per carrier and date from which its prices hold.
create table rate_card (
    carrier_id varchar not null, recorded_at timestamptz not null, valid_from date not null, currency varchar not null,
    per_day double not null,            -- a vehicle used that day
    per_hour double not null,           -- paid driver time up to the end of the shift
    per_overtime_hour double not null,  -- paid driver time beyond it
    per_km double not null,
    per_stop double not null,
    minimum_per_route double not null,
    import_id varchar
);

-- One row per vehicle.
create table vehicle (
    vehicle_id varchar not null, recorded_at timestamptz not null, name varchar not null, depot_id varchar,
    carrier_id varchar, kind varchar, capacity_kg double, capacity_m3 double, capacity_pieces double,
    skills varchar[], import_id varchar
);

-- One row per driver.
create table driver (
    driver_id varchar not null, recorded_at timestamptz not null, name varchar not null, depot_id varchar,
    carrier_id varchar, skills varchar[], import_id varchar
);

-- One row per driver, vehicle and working day.
create table shift (
    shift_id varchar not null, recorded_at timestamptz not null, day date not null, driver_id varchar,
    vehicle_id varchar not null, starts_at timestamptz not null, ends_at timestamptz not null,
    break_minutes double not null, break_from timestamptz, break_due timestamptz,
    overtime_minutes double not null,   -- how much longer it may last
    import_id varchar
);

-- One row per version of the plan of a depot and a day; which one is in force is told by plan events.
create table plan (
    plan_id varchar not null, recorded_at timestamptz not null, depot_id varchar not null, day date not null,
    version integer not null, parent_plan_id varchar, made_by varchar not null, engine varchar not null,
    cost double, currency varchar, distance_km double, late_minutes double, promises_broken integer, unserved json,
    summary json, import_id varchar
);

-- One row per vehicle that a plan version uses; route_id stays the same over the versions of a day.
create table route (
    plan_id varchar not null, route_id varchar not null, depot_id varchar not null, day date not null,
    vehicle_id varchar not null, driver_id varchar, carrier_id varchar, shift_id varchar,
    departs_at timestamptz not null, returns_at timestamptz not null, distance_km double, drive_minutes double,
    cost double, import_id varchar
);

-- One row per delivery on a route of a plan version, in driving order; deliveries of one stop share `stop`.
create table planned_stop (
    plan_id varchar not null, route_id varchar not null, stop integer not null, delivery_id varchar not null,
    arrive_at timestamptz not null, service_at timestamptz not null, depart_at timestamptz not null,
    distance_km double, drive_minutes double, import_id varchar
);

-- One row per amount of money that an invoice, a claim or a call centre gave, beyond the rate cards.
create table charge (
    charge_id uuid not null, recorded_at timestamptz not null, occurred_at timestamptz not null,
    kind varchar not null,              -- toll | contractor | third_party | rehandling | contact | claim | penalty | crew_idle
    amount double not null, currency varchar not null, delivery_id varchar, route_id varchar, carrier_id varchar,
    assumed boolean not null, source varchar not null, import_id varchar
);

-- One row per dated point of a project.
create table milestone (
    milestone_id varchar not null, recorded_at timestamptz not null, project varchar, name varchar not null,
    need_by timestamptz not null, zone varchar not null, crew_size double, crew_rate double, currency varchar,
    float_days double, import_id varchar
);

-- One row per delivery that a milestone needs.
create table milestone_delivery (
    milestone_id varchar not null, delivery_id varchar not null, recorded_at timestamptz not null, import_id varchar
);

-- One row per system that events come from, and what its times mean.
create table source (
    source varchar not null, recorded_at timestamptz not null, name varchar not null, kind varchar not null,
    window_semantics varchar, zone varchar,
    recorded_at_given boolean not null  -- false: recorded_at was taken to be occurred_at, so scan latency is unknown
);

-- One row per import, whatever came of it.
create table import_run (
    import_id varchar not null, started_at timestamptz not null, finished_at timestamptz not null, actor varchar not null,
    file varchar not null, file_sha256 varchar not null, mapping varchar not null, mapping_text varchar not null,
    source varchar not null, kind varchar not null, rows_read bigint not null, rows_taken bigint not null,
    rows_repeated bigint not null, rows_refused bigint not null, notes json
);

-- One row per import that was taken back: its rows stay, and count for nothing at any time.
create table undone_import (
    import_id varchar not null, undone_at timestamptz not null, actor varchar not null, why varchar
);

-- One row per row of a file that was not taken, whole, with what was wrong.
create table quarantine (
    import_id varchar not null, row_number bigint not null, raw json not null, problems json not null
);

-- One row per setting and change: the last counts.
create table setting (
    key varchar not null, value json not null, recorded_at timestamptz not null, actor varchar not null
);

-- One row per KPI, scope and date from which a target holds.
create table kpi_target (
    key varchar not null, valid_from date not null, target double not null, actor varchar not null,
    recorded_at timestamptz not null
);
