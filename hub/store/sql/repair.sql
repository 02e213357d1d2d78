-- What only repair asks: orders folded anew, messages read again, people forgotten, old rows dropped.

-- name: registers_get
SELECT version, registers FROM orders WHERE tenant = :tenant AND id = :id;

-- name: orders_after
SELECT id FROM orders WHERE tenant = :tenant AND id > :after ORDER BY id LIMIT :most;

-- name: messages_held
-- Messages that can be read again. Calls of the API are not among them: what was decided is not judged again;
-- nor are mails, which are judged with what was known when they came.
SELECT position, id, tenant, connection, transport, topic, head, body, received_at, status FROM messages
WHERE tenant = :tenant AND position > :after AND received_at >= :since AND (:connection = '' OR connection = :connection)
  AND body IS NOT NULL AND transport NOT IN ('api', 'email') AND status <> 'received'
ORDER BY position LIMIT :most;

-- name: messages_of
SELECT messages.position, messages.id, messages.tenant, messages.connection, messages.transport, messages.topic,
       messages.head, messages.body, messages.received_at, messages.status
FROM :rows(id text) JOIN messages ON messages.id = rows.id
WHERE messages.tenant = :tenant AND messages.body IS NOT NULL AND messages.transport <> 'api'
  AND messages.status <> 'received';

-- name: messages_heads
SELECT messages.id, messages.head FROM :rows(id text) JOIN messages ON messages.id = rows.id;

-- name: messages_of_orders
SELECT DISTINCT facts.message FROM :rows(order_id text) JOIN facts ON facts.order_id = rows.order_id
WHERE facts.tenant = :tenant;

-- name: messages_factless
-- Messages that told no order anything, whose bytes may still name a person.
SELECT position, id, body, connection FROM messages
WHERE tenant = :tenant AND position > :after AND body IS NOT NULL AND status <> 'received'
  AND NOT EXISTS (SELECT 1 FROM facts WHERE facts.message = messages.id)
ORDER BY position LIMIT :most;

-- name: facts_of_messages
SELECT facts.message, facts.order_id, facts.digest, facts.said FROM :rows(message text)
JOIN facts ON facts.message = rows.message WHERE facts.tenant = :tenant ORDER BY facts.position;

-- name: facts_drop
DELETE FROM facts WHERE (order_id, message) IN (SELECT order_id, message FROM :rows(order_id text, message text));

-- name: facts_parked_at
SELECT facts.position, facts.message, facts.said FROM :rows(tenant text, number text)
JOIN facts ON facts.tenant = rows.tenant AND facts.ref = rows.number AND facts.order_id LIKE 'parked%';

-- name: identities_of_source
SELECT ref, order_id FROM identities WHERE tenant = :tenant AND source = :source AND type = 'order' AND ref > :after
ORDER BY ref LIMIT :most;

-- name: orders_of_source
SELECT DISTINCT identities.order_id FROM :rows(order_id text) JOIN identities ON identities.order_id = rows.order_id
WHERE identities.tenant = :tenant AND identities.source = :source;

-- name: snapshots_of_order
SELECT version, doc FROM snapshots WHERE order_id = :order_id ORDER BY version;

-- name: envelopes_of_order
SELECT position, envelope FROM events WHERE order_id = :order_id ORDER BY position;

-- name: envelopes_put
UPDATE events SET envelope = rows.envelope FROM :rows(position int, envelope blob) WHERE events.position = rows.position;

-- name: renderings_of_order
DELETE FROM renderings WHERE event IN (SELECT id FROM events WHERE order_id = :order_id);

-- name: attempts_of_order
SELECT attempts.delivery, attempts.number, attempts.detail FROM events JOIN deliveries ON deliveries.event = events.id
JOIN attempts ON attempts.delivery = deliveries.position WHERE events.order_id = :order_id;

-- name: attempts_put
UPDATE attempts SET detail = rows.detail FROM :rows(delivery int, number int, detail blob)
WHERE attempts.delivery = rows.delivery AND attempts.number = rows.number;

-- name: deliveries_unclaim
UPDATE deliveries SET claim = '', claimed_until = 0 WHERE claim = :claim AND status IN ('due', 'waiting')
  AND event IN (SELECT id FROM events WHERE order_id = :order_id);

-- name: exceptions_put
UPDATE exceptions SET doc = rows.doc FROM :rows(id text, doc blob) WHERE exceptions.id = rows.id;

-- name: memories_take
SELECT value FROM memories WHERE owner = :owner AND name = :name;

-- name: memories_take [postgres]
DELETE FROM memories WHERE owner = :owner AND name = :name RETURNING value;

-- name: messages_next
SELECT position, received_at, status FROM messages WHERE position > :after ORDER BY position LIMIT :most;

-- name: messages_purge
UPDATE messages SET body = NULL FROM :rows(position int) WHERE messages.position = rows.position;

-- name: attempts_next
SELECT delivery, number, at FROM attempts WHERE delivery > :after ORDER BY delivery, number LIMIT :most;

-- name: attempts_purge
DELETE FROM attempts WHERE (delivery, number) IN (SELECT delivery, number FROM :rows(delivery int, number int));

-- name: calls_next
SELECT tenant, key FROM calls WHERE at < :before LIMIT :most;

-- name: calls_purge
DELETE FROM calls WHERE (tenant, key) IN (SELECT tenant, key FROM :rows(tenant text, key text));

-- name: events_next
SELECT position, id, order_id, version, recorded_at, tenant FROM events ORDER BY position LIMIT :most;

-- name: events_purge
DELETE FROM events WHERE position IN (SELECT position FROM :rows(position int));

-- name: deliveries_purge
DELETE FROM deliveries WHERE event IN (SELECT event FROM :rows(event text));

-- name: renderings_purge
DELETE FROM renderings WHERE event IN (SELECT event FROM :rows(event text));

-- name: snapshots_purge
-- Versions that no event shows any more; never the one that the order is at.
WITH gone AS (SELECT order_id, version FROM :rows(order_id text, version int))
DELETE FROM snapshots WHERE order_id IN (SELECT order_id FROM gone)
  AND version <= (SELECT max(gone.version) FROM gone WHERE gone.order_id = snapshots.order_id)
  AND version < (SELECT orders.version FROM orders WHERE orders.id = snapshots.order_id)
  AND NOT EXISTS (SELECT 1 FROM events WHERE events.order_id = snapshots.order_id AND events.version = snapshots.version);

-- name: heads_page
SELECT target, order_id, last_event FROM heads WHERE (target, order_id) > (:target, :order_id)
ORDER BY target, order_id LIMIT :most;

-- name: heads_purge
-- Those of which nothing is outstanding, and that were told of nothing since.
DELETE FROM heads WHERE (target, order_id, last_event) IN (
    SELECT target, order_id, last_event FROM :rows(target text, order_id text, last_event text))
  AND NOT EXISTS (SELECT 1 FROM deliveries AS first WHERE first.position = heads.head AND first.status IN ('due', 'waiting'));

-- name: jobs_page
-- One that runs is never old.
SELECT position, CASE WHEN state = 'running' THEN 9000000000000000000 ELSE updated_at END FROM jobs
WHERE position > :after ORDER BY position LIMIT :most;

-- name: jobs_purge
DELETE FROM jobs WHERE position IN (SELECT position FROM :rows(position int)) AND state <> 'running' AND updated_at < :before;

-- name: flows_page
SELECT target FROM flows WHERE target > :after ORDER BY target LIMIT :most;

-- name: flows_purge
-- Not where something is due: a process may be sharing it out.
DELETE FROM flows WHERE target IN (SELECT target FROM :rows(target text))
  AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.target = flows.target AND deliveries.status = 'due');

-- name: things_known
SELECT things.id FROM :rows(id text) JOIN things ON things.kind IN ('endpoint', 'connection', 'notifier') AND things.id = rows.id;

-- name: shares_page
SELECT target, claim, until FROM shares WHERE (target, claim) > (:target, :claim) ORDER BY target, claim LIMIT :most;

-- name: shares_purge
DELETE FROM shares WHERE (target, claim) IN (SELECT target, claim FROM :rows(target text, claim text)) AND until < :before;
