-- The three tables that hold the truth are messages (what was said to us), facts (what we understood) and
-- events (what we said). `position` is the one number the database gives: it grows in commit order.
-- :key, :blob and :clustered are words of our own; each engine reads them in its way.

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE messages (
    position :key,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    transport TEXT NOT NULL,
    topic TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    head :blob NOT NULL,
    body :blob,
    status TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    error :blob,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    UNIQUE (tenant, connection, topic, dedupe_key)
);
CREATE INDEX messages_open ON messages (position) WHERE status = 'received';
CREATE INDEX messages_failed ON messages (tenant, connection, position) WHERE status IN ('failed', 'quarantined');

CREATE TABLE identities (
    tenant TEXT NOT NULL,
    source TEXT NOT NULL,
    type TEXT NOT NULL,
    ref TEXT NOT NULL,
    order_id TEXT NOT NULL,
    PRIMARY KEY (tenant, source, type, ref, order_id)
) :clustered;
CREATE INDEX identities_order ON identities (order_id);
CREATE UNIQUE INDEX identities_one ON identities (tenant, source, type, ref) WHERE type <> 'tracking';

CREATE TABLE facts (
    position :key,
    tenant TEXT NOT NULL,
    order_id TEXT NOT NULL,
    message TEXT NOT NULL,
    connection TEXT NOT NULL,
    source TEXT NOT NULL,
    subject TEXT NOT NULL,
    ref TEXT NOT NULL,
    digest TEXT NOT NULL,
    mapping TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    said :blob NOT NULL,
    UNIQUE (order_id, digest)
);
CREATE INDEX facts_message ON facts (message);
CREATE INDEX facts_parked ON facts (tenant, ref) WHERE order_id LIKE 'parked%';

CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    position BIGINT NOT NULL,
    version BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    hub_number TEXT NOT NULL,
    number TEXT NOT NULL,
    connection TEXT NOT NULL,
    state TEXT NOT NULL,
    payment_status TEXT NOT NULL,
    fulfillment_status TEXT NOT NULL,
    test BIGINT NOT NULL,
    silent BIGINT NOT NULL,
    last_event TEXT NOT NULL,
    placed_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    registers :blob NOT NULL
);
CREATE INDEX orders_position ON orders (tenant, position);
CREATE INDEX orders_number ON orders (tenant, number, position);

CREATE TABLE snapshots (
    order_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    doc :blob NOT NULL,
    PRIMARY KEY (order_id, version)
);

CREATE TABLE persons (
    tenant TEXT NOT NULL,
    hash TEXT NOT NULL,
    order_id TEXT NOT NULL,
    PRIMARY KEY (tenant, hash, order_id)
) :clustered;

CREATE TABLE events (
    position :key,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    order_id TEXT NOT NULL,
    sequence BIGINT,
    type TEXT NOT NULL,
    test BIGINT NOT NULL,
    version BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    envelope :blob NOT NULL
);
CREATE INDEX events_order ON events (order_id, position);

CREATE TABLE deliveries (
    position :key,
    tenant TEXT NOT NULL,
    target TEXT NOT NULL,
    event TEXT NOT NULL,
    order_id TEXT NOT NULL,
    status TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    previous TEXT NOT NULL,
    trigger TEXT NOT NULL,
    shape TEXT NOT NULL,
    claim TEXT NOT NULL,
    claimed_until BIGINT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (target, due_at, position) WHERE status = 'due';
CREATE INDEX deliveries_waiting ON deliveries (target, order_id, position) WHERE status = 'waiting';
CREATE INDEX deliveries_quiet ON deliveries (target, position) WHERE status IN ('held', 'dead');
CREATE INDEX deliveries_event ON deliveries (event);

CREATE TABLE heads (
    target TEXT NOT NULL,
    order_id TEXT NOT NULL,
    head BIGINT NOT NULL,
    last_event TEXT NOT NULL,
    PRIMARY KEY (target, order_id)
) :clustered;

CREATE TABLE attempts (
    delivery BIGINT NOT NULL,
    number BIGINT NOT NULL,
    target TEXT NOT NULL,
    at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail :blob NOT NULL,
    PRIMARY KEY (delivery, number)
);

CREATE TABLE renderings (
    event TEXT NOT NULL,
    shape TEXT NOT NULL,
    body :blob NOT NULL,
    PRIMARY KEY (event, shape)
);

-- What an operator made: one row each, the content a document, secrets in it sealed.
CREATE TABLE things (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    doc :blob NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX things_name ON things (tenant, kind, name);

CREATE TABLE exceptions (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    cause TEXT NOT NULL,
    position BIGINT NOT NULL,
    state TEXT NOT NULL,
    severity TEXT NOT NULL,
    count BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    doc :blob NOT NULL
);
CREATE UNIQUE INDEX exceptions_open ON exceptions (tenant, cause) WHERE state <> 'closed';
CREATE INDEX exceptions_position ON exceptions (tenant, position);

CREATE TABLE troubles (
    tenant TEXT NOT NULL,
    cause TEXT NOT NULL,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, cause, subject)
) :clustered;
CREATE INDEX troubles_subject ON troubles (subject);

CREATE TABLE audit (
    position :key,
    tenant TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail :blob NOT NULL
);

CREATE TABLE calls (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    at BIGINT NOT NULL,
    status BIGINT NOT NULL,
    answer :blob NOT NULL,
    PRIMARY KEY (tenant, key)
);

CREATE TABLE mappings (
    hash TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE activations (
    position :key,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL
);
CREATE INDEX activations_name ON activations (tenant, name, position);

-- What the hub itself remembers of a connection: cursors, channel state, tokens, public keys, circuits.
CREATE TABLE memories (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    value :blob NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (owner, name)
);
