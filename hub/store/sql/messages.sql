-- name: messages_add
INSERT INTO messages (position, id, tenant, connection, transport, topic, dedupe_key, head, body, status, received_at, claimed_until)
SELECT position, id, tenant, connection, transport, topic, dedupe_key, head, body, status, received_at, claimed_until
FROM :rows(position int, id text, tenant text, connection text, transport text, topic text, dedupe_key text, head blob, body blob, status text, received_at int, claimed_until int)
WHERE true
ON CONFLICT (tenant, connection, topic, dedupe_key) DO NOTHING;

-- name: messages_present
SELECT messages.id FROM messages JOIN :rows(id text) ON messages.id = rows.id;

-- name: messages_settle
UPDATE messages SET status = rows.status, error = rows.error, attempts = messages.attempts + 1
FROM :rows(position int, status text, error blob)
WHERE messages.position = rows.position;

-- name: messages_open
-- The rows that memory lost: left by a process that died, or passed over when memory was full. Mail has its own stage.
SELECT position, id, tenant, connection, transport, topic, head, body, received_at FROM messages
WHERE status = 'received' AND transport <> 'email' AND claimed_until <= :now ORDER BY position LIMIT :most;

-- name: messages_open [postgres]
-- An array, so that the limit is run once, whatever plan is chosen.
UPDATE messages SET claimed_until = :until WHERE position = ANY (ARRAY(
    SELECT position FROM messages WHERE status = 'received' AND transport <> 'email' AND claimed_until <= :now
    ORDER BY position LIMIT :most FOR UPDATE SKIP LOCKED))
RETURNING position, id, tenant, connection, transport, topic, head, body, received_at;

-- name: messages_get
SELECT position, id, tenant, connection, transport, topic, head, body, status, received_at, attempts, error
FROM messages WHERE tenant = :tenant AND id = :id;

-- name: messages_list
SELECT position, id, tenant, connection, transport, topic, head, NULL, status, received_at, attempts, error
FROM messages WHERE tenant = :tenant AND :past(position)
  AND (:connection = '' OR connection = :connection) AND (:status = '' OR status = :status)
ORDER BY :along(position) LIMIT :most;

-- name: messages_reopen
UPDATE messages SET status = 'received', claimed_until = :until FROM :rows(tenant text, id text)
WHERE messages.tenant = rows.tenant AND messages.id = rows.id;

-- name: messages_blank
-- Take away what was said; that it was said, and the key that knows it again, stay.
UPDATE messages SET body = NULL, error = NULL, head = :head FROM :rows(tenant text, id text)
WHERE messages.tenant = rows.tenant AND messages.id = rows.id;

-- name: facts_of_connection
SELECT 1 FROM facts JOIN messages ON messages.id = facts.message WHERE messages.connection = :connection LIMIT 1;
