-- How sources are looked after: who reads one and when again, what is to be read again, what was read of it last,
-- what differed, and how often it pushes. An event that was told to nobody when it happened says so itself.

CREATE TABLE sweeps (
    connection TEXT PRIMARY KEY,
    claim TEXT NOT NULL,
    claimed_until BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    ensured_at BIGINT NOT NULL
);

CREATE TABLE hints (
    connection TEXT NOT NULL,
    subject TEXT NOT NULL,
    ref TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    stamp TEXT NOT NULL,
    PRIMARY KEY (connection, subject, ref)
) :clustered;
CREATE INDEX hints_due ON hints (due_at);

CREATE TABLE readings (
    connection TEXT NOT NULL,
    ref TEXT NOT NULL,
    hash TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (connection, ref)
) :clustered;

CREATE TABLE pulses (
    connection TEXT NOT NULL,
    hour BIGINT NOT NULL,
    count BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (connection, hour)
) :clustered;

CREATE TABLE reconciliations (
    position :key,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    connection TEXT NOT NULL,
    job TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    doc :blob NOT NULL
);
CREATE INDEX reconciliations_tenant ON reconciliations (tenant, position);

CREATE TABLE drifts (
    position :key,
    tenant TEXT NOT NULL,
    run TEXT NOT NULL,
    connection TEXT NOT NULL,
    order_id TEXT NOT NULL,
    ref TEXT NOT NULL,
    class TEXT NOT NULL,
    found_at BIGINT NOT NULL,
    repaired_at BIGINT NOT NULL,
    doc :blob NOT NULL
);
CREATE INDEX drifts_run ON drifts (run, connection, position);

ALTER TABLE events ADD COLUMN silent BIGINT NOT NULL DEFAULT 0;
