-- Mail: letters that wait for the stage, the keys by which they are known again, and those we sent.

-- name: mails_open
SELECT position, id, tenant, connection, transport, topic, head, body, received_at FROM messages
WHERE status = 'received' AND transport = 'email' AND claimed_until <= :now ORDER BY position LIMIT :most;

-- name: mails_open [postgres]
-- An array, so that the limit is run once, whatever plan is chosen.
UPDATE messages SET claimed_until = :until WHERE position = ANY (ARRAY(
    SELECT position FROM messages WHERE status = 'received' AND transport = 'email' AND claimed_until <= :now
    ORDER BY position LIMIT :most FOR UPDATE SKIP LOCKED))
RETURNING position, id, tenant, connection, transport, topic, head, body, received_at;

-- name: mails_renew
-- What is over or was given back (a letter that a person released) is anyone's.
UPDATE messages SET claimed_until = :until FROM :rows(position int)
WHERE messages.position = rows.position AND messages.status = 'received' AND messages.claimed_until > :now;

-- name: mails_hold
-- Whether a letter still waits to be settled; nobody else settles it meanwhile.
SELECT 1 FROM messages WHERE position = :position AND status = 'received' :lock;

-- name: mail_keys_add
INSERT INTO mail_keys (tenant, connection, key, message, at) SELECT tenant, connection, key, message, at
FROM :rows(tenant text, connection text, key text, message text, at int) WHERE true ON CONFLICT DO NOTHING;

-- name: mail_keys_find
SELECT mail_keys.key, mail_keys.message FROM :rows(tenant text, connection text, key text)
JOIN mail_keys ON mail_keys.tenant = rows.tenant AND mail_keys.connection = rows.connection AND mail_keys.key = rows.key;

-- name: mails_put
INSERT INTO mails (message, tenant, connection, sender, outcome, order_id, at, doc)
SELECT message, tenant, connection, sender, outcome, order_id, at, doc
FROM :rows(message text, tenant text, connection text, sender text, outcome text, order_id text, at int, doc blob) WHERE true
ON CONFLICT (message) DO UPDATE SET sender = excluded.sender, outcome = excluded.outcome, order_id = excluded.order_id,
    doc = excluded.doc;

-- name: mails_get
SELECT outcome, order_id, doc FROM mails WHERE tenant = :tenant AND message = :message;

-- name: mails_times
-- When this sender's latest letters of this outcome came.
SELECT at FROM mails WHERE tenant = :tenant AND sender = :sender AND at > :since AND outcome = :outcome
ORDER BY at DESC LIMIT :most;

-- name: mails_sent_add
INSERT INTO mails_sent (tenant, message_id, id, order_id, at) SELECT tenant, message_id, id, order_id, at
FROM :rows(tenant text, message_id text, id text, order_id text, at int) WHERE true ON CONFLICT DO NOTHING;

-- name: mails_sent_find
SELECT mails_sent.message_id, mails_sent.id, mails_sent.order_id FROM :rows(tenant text, message_id text)
JOIN mails_sent ON mails_sent.tenant = rows.tenant AND mails_sent.message_id = rows.message_id;

-- name: orders_numbered
SELECT orders.id, orders.number FROM :rows(tenant text, number text)
JOIN orders ON orders.tenant = rows.tenant AND orders.number = rows.number
WHERE orders.connection = :connection LIMIT 20;

-- name: messages_release
-- A quarantined message goes through again, its head saying who let it.
UPDATE messages SET status = 'received', claimed_until = 0, head = :head
WHERE tenant = :tenant AND id = :id AND status = 'quarantined';

-- name: mails_next
SELECT message, at FROM mails ORDER BY message LIMIT :most;

-- name: mails_purge
DELETE FROM mails WHERE message IN (SELECT message FROM :rows(message text));

-- name: mail_keys_next
SELECT tenant, connection, key FROM mail_keys WHERE at < :before ORDER BY at LIMIT :most;

-- name: mail_keys_purge
DELETE FROM mail_keys WHERE (tenant, connection, key) IN (
    SELECT tenant, connection, key FROM :rows(tenant text, connection text, key text));

-- name: mails_sent_next
SELECT tenant, message_id FROM mails_sent WHERE at < :before ORDER BY at LIMIT :most;

-- name: mails_sent_purge
DELETE FROM mails_sent WHERE (tenant, message_id) IN (SELECT tenant, message_id FROM :rows(tenant text, message_id text));
