-- name: events_add
INSERT INTO events (position, id, tenant, order_id, sequence, type, test, version, recorded_at, envelope, silent)
SELECT position, id, tenant, order_id, sequence, type, test, version, recorded_at, envelope, silent
FROM :rows(position int, id text, tenant text, order_id text, sequence int, type text, test int, version int,
           recorded_at int, envelope blob, silent int) WHERE true;

-- name: events_of_order
SELECT events.position, events.id, events.order_id, events.type, events.test, events.sequence, events.envelope, snapshots.doc
FROM events LEFT JOIN snapshots ON snapshots.order_id = events.order_id AND snapshots.version = events.version
WHERE events.tenant = :tenant AND events.order_id = :order_id AND events.position > :after
ORDER BY events.position LIMIT :most;

-- name: events_get
SELECT events.position, events.id, events.order_id, events.type, events.test, events.sequence, events.envelope, snapshots.doc
FROM events LEFT JOIN snapshots ON snapshots.order_id = events.order_id AND snapshots.version = events.version
WHERE events.tenant = :tenant AND events.id = :id;

-- name: events_newest
SELECT events.position, events.id, events.order_id, events.type, events.test, events.sequence, events.envelope,
       snapshots.doc, COALESCE(orders.connection, ''), CASE WHEN events.silent = 1 THEN 1 ELSE COALESCE(orders.silent, 0) END
FROM events LEFT JOIN orders ON orders.id = events.order_id
LEFT JOIN snapshots ON snapshots.order_id = events.order_id AND snapshots.version = events.version
WHERE events.tenant = :tenant ORDER BY events.position DESC LIMIT :most;

-- name: events_whole
SELECT events.position, events.id, events.order_id, events.type, events.test, events.sequence, events.envelope,
       snapshots.doc, COALESCE(orders.connection, ''), CASE WHEN events.silent = 1 THEN 1 ELSE COALESCE(orders.silent, 0) END
FROM events LEFT JOIN orders ON orders.id = events.order_id
LEFT JOIN snapshots ON snapshots.order_id = events.order_id AND snapshots.version = events.version
WHERE events.tenant = :tenant AND events.id = :id;
