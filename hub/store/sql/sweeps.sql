-- Sources that are looked after: claims, hints, readings.

-- name: sweeps_all
SELECT connection, claim, claimed_until, due_at, ensured_at FROM sweeps;

-- name: sweeps_claim
-- Nobody else reads this source until then; a process that died has it no longer than its claim.
INSERT INTO sweeps (connection, claim, claimed_until, due_at, ensured_at) VALUES (:connection, :claim, :until, 0, 0)
ON CONFLICT (connection) DO UPDATE SET claim = excluded.claim, claimed_until = excluded.claimed_until
WHERE sweeps.claim = excluded.claim OR sweeps.claimed_until <= :now;

-- name: sweeps_renew
UPDATE sweeps SET claimed_until = :until WHERE connection = :connection AND claim = :claim;

-- name: sweeps_end
UPDATE sweeps SET claimed_until = 0, due_at = :due_at WHERE connection = :connection AND claim = :claim;

-- name: sweeps_free
UPDATE sweeps SET claimed_until = 0 WHERE connection = :connection AND claim = :claim;

-- name: sweeps_soon
-- A source that is to be read at once, whoever reads it.
UPDATE sweeps SET due_at = 0 WHERE connection = :connection;

-- name: sweeps_ensured
UPDATE sweeps SET ensured_at = :now WHERE connection = :connection;

-- name: sweeps_forget
DELETE FROM sweeps WHERE connection = :connection;

-- name: hints_add
-- One object hinted at many times is read once; there are so many of one source and no more.
INSERT INTO hints (connection, subject, ref, due_at, stamp) SELECT connection, subject, ref, 0, stamp
FROM :rows(connection text, subject text, ref text, stamp text)
WHERE (SELECT count(*) FROM (SELECT 1 FROM hints WHERE hints.connection = rows.connection LIMIT :most) AS held) < :most
ON CONFLICT (connection, subject, ref) DO UPDATE SET due_at = 0, stamp = excluded.stamp;

-- name: hints_full
-- Where there are too many, a sweep has to find the rest.
UPDATE sweeps SET due_at = 0 FROM :rows(connection text) WHERE sweeps.connection = rows.connection
  AND (SELECT count(*) FROM (SELECT 1 FROM hints WHERE hints.connection = rows.connection LIMIT :most) AS held) >= :most;

-- name: hints_due
SELECT DISTINCT connection FROM hints WHERE due_at <= :now;

-- name: hints_of
SELECT subject, ref, stamp FROM hints WHERE connection = :connection AND due_at <= :now ORDER BY due_at, subject, ref LIMIT :most;

-- name: hints_later
UPDATE hints SET due_at = :due_at WHERE connection = :connection AND subject = :subject AND ref = :ref AND stamp = :stamp;

-- name: hints_drop
DELETE FROM hints WHERE connection = :connection AND subject = :subject AND ref = :ref AND stamp = :stamp;

-- name: hints_forget
DELETE FROM hints WHERE connection = :connection;

-- name: readings_get
SELECT hash FROM readings WHERE connection = :connection AND ref = :ref;

-- name: readings_put
INSERT INTO readings (connection, ref, hash, seen_at) SELECT connection, ref, hash, seen_at
FROM :rows(connection text, ref text, hash text, seen_at int) WHERE true
ON CONFLICT (connection, ref) DO UPDATE SET hash = excluded.hash, seen_at = excluded.seen_at;

-- name: readings_forget
DELETE FROM readings WHERE connection = :connection;

-- What differed, and the runs that found it.

-- name: drifts_add
INSERT INTO drifts (position, tenant, run, connection, order_id, ref, class, found_at, repaired_at, doc)
SELECT position, tenant, run, connection, order_id, ref, class, found_at, repaired_at, doc
FROM :rows(position int, tenant text, run text, connection text, order_id text, ref text, class text, found_at int,
           repaired_at int, doc blob) WHERE true;

-- name: drifts_of_run
SELECT position, connection, order_id, ref, class, found_at, repaired_at, doc FROM drifts
WHERE tenant = :tenant AND run = :run AND (:connection = '' OR connection = :connection) AND position > :after
ORDER BY position LIMIT :most;

-- name: drifts_repaired
UPDATE drifts SET repaired_at = rows.at FROM :rows(position int, at int) WHERE drifts.position = rows.position;

-- name: drifts_name
UPDATE drifts SET run = :run FROM :rows(position int) WHERE drifts.position = rows.position;

-- name: messages_status
SELECT messages.id, messages.status FROM :rows(id text) JOIN messages ON messages.id = rows.id;

-- name: reconciliations_add
INSERT INTO reconciliations (position, id, tenant, kind, connection, job, begun_at, ended_at, doc)
VALUES (:position, :id, :tenant, :kind, :connection, :job, :begun_at, :now, :doc);

-- name: reconciliations_list
SELECT position, id, kind, connection, job, begun_at, ended_at, doc FROM reconciliations
WHERE tenant = :tenant AND position > :after AND (:connection = '' OR connection = :connection)
  AND (:kind = '' OR kind = :kind) ORDER BY position LIMIT :most;

-- name: reconciliations_get
SELECT position, id, kind, connection, job, begun_at, ended_at, doc FROM reconciliations
WHERE tenant = :tenant AND id = :id;

-- name: orders_unseen
-- Orders of a source that a survey of it did not see, though they were placed within its span.
SELECT orders.id, identities.ref FROM orders
JOIN identities ON identities.order_id = orders.id AND identities.source = :source AND identities.type = 'order'
LEFT JOIN readings ON readings.connection = :connection AND readings.ref = 'order:' || identities.ref
WHERE orders.tenant = :tenant AND orders.connection = :connection AND orders.placed_at >= :since
  AND orders.placed_at <= :until AND orders.id > :after AND (readings.seen_at IS NULL OR readings.seen_at < :begun)
ORDER BY orders.id LIMIT :most;

-- How often a connection is pushed to.

-- name: pulses_forget
DELETE FROM pulses WHERE connection = :connection;

-- name: pulses_add
INSERT INTO pulses (connection, hour, count, last_at) SELECT connection, hour, count, last_at
FROM :rows(connection text, hour int, count int, last_at int) WHERE true
ON CONFLICT (connection, hour) DO UPDATE SET count = pulses.count + excluded.count,
    last_at = CASE WHEN excluded.last_at > pulses.last_at THEN excluded.last_at ELSE pulses.last_at END;

-- name: pulses_since
SELECT connection, hour, count, last_at FROM pulses WHERE hour >= :hour ORDER BY connection, hour;

-- name: pulses_last
SELECT COALESCE(max(last_at), 0) FROM pulses WHERE connection = :connection;

-- name: pulses_purge
DELETE FROM pulses WHERE hour < :hour;

-- name: messages_pulse
SELECT position, connection, transport, received_at FROM messages WHERE position > :after ORDER BY position LIMIT :most;

-- What a day's balance asks.

-- name: orders_of_day
SELECT orders.id, orders.number, orders.silent, COALESCE(identities.ref, ''), orders.state FROM orders
LEFT JOIN identities ON identities.order_id = orders.id AND identities.source = :source AND identities.type = 'order'
WHERE orders.tenant = :tenant AND orders.connection = :connection AND orders.placed_at >= :since
  AND orders.placed_at < :until AND orders.state <> 'stub' AND orders.id > :after ORDER BY orders.id LIMIT :most;

-- name: events_first
-- The event by which each of these orders was told first.
SELECT events.order_id, events.id, events.type, events.test, events.silent, events.recorded_at FROM :rows(order_id text)
JOIN events ON events.order_id = rows.order_id AND events.type = 'order.created';

-- name: messages_unread
SELECT id, topic, status, error FROM messages WHERE tenant = :tenant AND connection = :connection
  AND status IN ('failed', 'quarantined') AND received_at >= :since AND received_at < :until ORDER BY position LIMIT :most;

-- name: drifts_next
SELECT position, found_at FROM drifts ORDER BY position LIMIT :most;

-- name: drifts_purge
DELETE FROM drifts WHERE position IN (SELECT position FROM :rows(position int));

-- name: reconciliations_next
SELECT position, ended_at FROM reconciliations ORDER BY position LIMIT :most;

-- name: reconciliations_purge
DELETE FROM reconciliations WHERE position IN (SELECT position FROM :rows(position int));
