-- What only the admin API asks.

-- name: calls_claim
-- Take a key: a new one, one whose first user died, or one that is too old to count.
INSERT INTO calls (tenant, key, digest, at, status, answer) VALUES (:tenant, :key, :digest, :now, 0, '')
ON CONFLICT (tenant, key) DO UPDATE SET digest = excluded.digest, at = excluded.at, status = 0
WHERE (calls.status = 0 AND calls.at < :abandoned) OR calls.at < :expired;

-- name: calls_drop
DELETE FROM calls WHERE tenant = :tenant AND key = :key AND status = 0;

-- name: orders_owned
SELECT orders.tenant, orders.id FROM :rows(tenant text, id text)
JOIN orders ON orders.id = rows.id AND orders.tenant = rows.tenant;

-- name: orders_of_ref
-- By the source's id, under every name that our sources speak by: the key of identities, not a scan.
SELECT DISTINCT orders.id, orders.tenant, orders.position, orders.version, orders.sequence, orders.hub_number,
       orders.connection, orders.silent, orders.created_at, orders.updated_at, snapshots.doc
FROM :rows(source text)
JOIN identities ON identities.tenant = :tenant AND identities.source = rows.source AND identities.type = 'order'
 AND identities.ref = :ref
JOIN orders ON orders.id = identities.order_id
JOIN snapshots ON snapshots.order_id = orders.id AND snapshots.version = orders.version
WHERE orders.tenant = :tenant AND :past(orders.position) AND (:number = '' OR orders.number = :number)
  AND (:state = '' OR orders.state = :state) AND (:connection = '' OR orders.connection = :connection)
  AND orders.updated_at > :updated_after
ORDER BY :along(orders.position) LIMIT :most;

-- name: orders_of_number
SELECT orders.id, orders.tenant, orders.position, orders.version, orders.sequence, orders.hub_number,
       orders.connection, orders.silent, orders.created_at, orders.updated_at, snapshots.doc
FROM orders JOIN snapshots ON snapshots.order_id = orders.id AND snapshots.version = orders.version
WHERE orders.tenant = :tenant AND orders.number = :number AND :past(orders.position)
  AND (:state = '' OR orders.state = :state) AND (:connection = '' OR orders.connection = :connection)
  AND orders.updated_at > :updated_after
ORDER BY :along(orders.position) LIMIT :most;

-- name: facts_page_of_order
SELECT position, order_id, message, connection, source, subject, ref, mapping, recorded_at, said FROM facts
WHERE tenant = :tenant AND order_id = :order_id AND position > :after ORDER BY position LIMIT :most;

-- name: facts_page_of_message
SELECT position, order_id, message, connection, source, subject, ref, mapping, recorded_at, said FROM facts
WHERE tenant = :tenant AND message = :message AND position > :after ORDER BY position LIMIT :most;

-- name: events_oldest
SELECT COALESCE(min(position), 0), COALESCE(min(id), ''), COALESCE(min(recorded_at), 0) FROM events
WHERE tenant = :tenant AND position > :after;
