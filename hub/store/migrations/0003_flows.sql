-- Jobs that go on where they stopped; what all processes share of a target; and the indexes by which a sweep looks at
-- a page of what was tried and refused, or is held, instead of at all that is due.

CREATE TABLE jobs (
    position :key,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    params :blob NOT NULL,
    cursor TEXT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    note TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    claim TEXT NOT NULL,
    claimed_until BIGINT NOT NULL
);
CREATE INDEX jobs_open ON jobs (kind, due_at, position) WHERE state = 'running';
CREATE INDEX jobs_tenant ON jobs (tenant, position);

-- The circuit of a target, and when its rate lets the next delivery go (`allowed_at`).
CREATE TABLE flows (
    target TEXT NOT NULL PRIMARY KEY,
    allowed_at BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    probe_at BIGINT NOT NULL,
    probes BIGINT NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX flows_open ON flows (target) WHERE opened_at > 0;

-- How many of a target's slots each process has, until it renews them or they are anyone's again.
CREATE TABLE shares (
    target TEXT NOT NULL,
    claim TEXT NOT NULL,
    slots BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (target, claim)
);

CREATE INDEX deliveries_tried ON deliveries (target, first_at, position) WHERE status = 'due' AND first_at > 0;
CREATE INDEX deliveries_held ON deliveries (target, position) WHERE status = 'held';
