-- name: identities_find
SELECT identities.tenant, identities.source, identities.type, identities.ref, identities.order_id
FROM :rows(tenant text, source text, type text, ref text)
JOIN identities ON identities.tenant = rows.tenant AND identities.source = rows.source
 AND identities.type = rows.type AND identities.ref = rows.ref;

-- name: identities_add
INSERT INTO identities (tenant, source, type, ref, order_id)
SELECT tenant, source, type, ref, order_id
FROM :rows(tenant text, source text, type text, ref text, order_id text) WHERE true
ON CONFLICT DO NOTHING;

-- name: identities_claim
INSERT INTO identities (tenant, source, type, ref, order_id)
SELECT tenant, source, type, ref, order_id
FROM :rows(tenant text, source text, type text, ref text, order_id text) WHERE true
ON CONFLICT DO NOTHING RETURNING tenant, source, type, ref;

-- name: identities_of_order
SELECT source, type, ref FROM identities WHERE order_id = :order_id ORDER BY source, type, ref;

-- name: numbers_lock
SELECT 1 FROM :rows(number text) WHERE false;

-- name: numbers_lock [postgres]
SELECT pg_advisory_xact_lock(hashtextextended(number, 0)) FROM :rows(number text);

-- name: orders_lock
SELECT orders.id, orders.version, orders.sequence, orders.last_event, orders.registers, snapshots.doc,
       orders.hub_number, orders.created_at, orders.silent, orders.connection
FROM :rows(id text)
JOIN orders ON orders.id = rows.id
LEFT JOIN snapshots ON snapshots.order_id = orders.id AND snapshots.version = orders.version;

-- name: orders_lock [postgres]
SELECT orders.id, orders.version, orders.sequence, orders.last_event, orders.registers, snapshots.doc,
       orders.hub_number, orders.created_at, orders.silent, orders.connection
FROM orders
LEFT JOIN snapshots ON snapshots.order_id = orders.id AND snapshots.version = orders.version
WHERE orders.id IN (SELECT id FROM :rows(id text))
ORDER BY orders.id FOR UPDATE OF orders;

-- name: orders_put
INSERT INTO orders (id, tenant, position, version, sequence, hub_number, number, connection, state, payment_status,
                    fulfillment_status, test, silent, last_event, placed_at, created_at, updated_at, registers)
SELECT id, tenant, position, version, sequence, hub_number, number, connection, state, payment_status,
       fulfillment_status, test, silent, last_event, placed_at, created_at, updated_at, registers
FROM :rows(id text, tenant text, position int, version int, sequence int, hub_number text, number text, connection text,
           state text, payment_status text, fulfillment_status text, test int, silent int, last_event text,
           placed_at int, created_at int, updated_at int, registers blob) WHERE true
ON CONFLICT (id) DO UPDATE SET position = excluded.position, version = excluded.version, sequence = excluded.sequence,
    number = excluded.number, state = excluded.state, payment_status = excluded.payment_status,
    fulfillment_status = excluded.fulfillment_status, test = excluded.test, silent = excluded.silent,
    last_event = excluded.last_event, placed_at = excluded.placed_at, updated_at = excluded.updated_at,
    registers = excluded.registers, connection = excluded.connection;

-- name: snapshots_put
INSERT INTO snapshots (order_id, version, doc) SELECT order_id, version, doc
FROM :rows(order_id text, version int, doc blob) WHERE true
ON CONFLICT (order_id, version) DO UPDATE SET doc = excluded.doc;

-- name: snapshots_get
SELECT doc FROM snapshots WHERE order_id = :order_id AND version = :version;

-- name: facts_add
INSERT INTO facts (position, tenant, order_id, message, connection, source, subject, ref, digest, mapping, recorded_at, said)
SELECT position, tenant, order_id, message, connection, source, subject, ref, digest, mapping, recorded_at, said
FROM :rows(position int, tenant text, order_id text, message text, connection text, source text, subject text,
           ref text, digest text, mapping text, recorded_at int, said blob) WHERE true
ON CONFLICT (order_id, digest) DO NOTHING;

-- name: facts_to_join
-- What was told of a parcel before an order had its number: parked, or of other orders that have it.
WITH fresh AS (
    SELECT rows.tenant, rows.number, rows.order_id FROM :rows(tenant text, number text, order_id text)
    WHERE NOT EXISTS (SELECT 1 FROM identities WHERE identities.tenant = rows.tenant AND identities.source = ''
        AND identities.type = 'tracking' AND identities.ref = rows.number AND identities.order_id = rows.order_id))
SELECT fresh.tenant, fresh.number, fresh.order_id, facts.message, facts.connection, facts.mapping, facts.digest, facts.said
FROM fresh JOIN facts ON facts.tenant = fresh.tenant AND facts.ref = fresh.number AND facts.order_id LIKE 'parked%'
UNION ALL
SELECT fresh.tenant, fresh.number, fresh.order_id, facts.message, facts.connection, facts.mapping, facts.digest, facts.said
FROM fresh JOIN identities ON identities.tenant = fresh.tenant AND identities.source = '' AND identities.type = 'tracking'
    AND identities.ref = fresh.number
JOIN facts ON facts.tenant = fresh.tenant AND facts.order_id = identities.order_id AND facts.subject = 'tracking';

-- name: facts_of_order
SELECT position, message, connection, source, subject, ref, mapping, recorded_at, said FROM facts
WHERE tenant = :tenant AND order_id = :order_id ORDER BY position;

-- name: facts_unmatched
SELECT position, message, connection, source, ref, recorded_at FROM facts
WHERE tenant = :tenant AND order_id LIKE 'parked%' AND position > :after
  AND NOT EXISTS (SELECT 1 FROM identities WHERE identities.tenant = facts.tenant AND identities.source = ''
                  AND identities.type = 'tracking' AND identities.ref = facts.ref)
ORDER BY position LIMIT :most;

-- name: facts_redact
UPDATE facts SET said = rows.said FROM :rows(position int, said blob) WHERE facts.position = rows.position;

-- name: orders_get
SELECT orders.id, orders.tenant, orders.position, orders.version, orders.sequence, orders.hub_number, orders.connection,
       orders.silent, orders.created_at, orders.updated_at, snapshots.doc
FROM orders JOIN snapshots ON snapshots.order_id = orders.id AND snapshots.version = orders.version
WHERE orders.tenant = :tenant AND orders.id = :id;

-- name: orders_list
SELECT orders.id, orders.tenant, orders.position, orders.version, orders.sequence, orders.hub_number, orders.connection,
       orders.silent, orders.created_at, orders.updated_at, snapshots.doc
FROM orders JOIN snapshots ON snapshots.order_id = orders.id AND snapshots.version = orders.version
WHERE orders.tenant = :tenant AND :past(orders.position)
  AND (:state = '' OR orders.state = :state) AND (:connection = '' OR orders.connection = :connection)
  AND orders.updated_at > :updated_after
ORDER BY :along(orders.position) LIMIT :most;

-- name: persons_add
INSERT INTO persons (tenant, hash, order_id) SELECT tenant, hash, order_id
FROM :rows(tenant text, hash text, order_id text) WHERE true ON CONFLICT DO NOTHING;

-- name: persons_find
SELECT DISTINCT persons.order_id FROM :rows(tenant text, hash text)
JOIN persons ON persons.tenant = rows.tenant AND persons.hash = rows.hash;

-- name: persons_drop
DELETE FROM persons WHERE tenant = :tenant AND order_id = :order_id;
