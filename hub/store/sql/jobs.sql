-- Jobs: work that goes on where it stopped.

-- name: jobs_add
INSERT INTO jobs (position, id, tenant, kind, subject, state, params, cursor, done, total, note, actor, created_at,
                  updated_at, due_at, claim, claimed_until)
VALUES (:position, :id, :tenant, :kind, :subject, 'running', :params, '', 0, -1, '', :actor, :now, :now, :now, '', 0);

-- name: jobs_due
SELECT jobs.position, jobs.id, jobs.tenant, jobs.kind, jobs.subject, jobs.state, jobs.params, jobs.cursor, jobs.done,
       jobs.total, jobs.note, jobs.actor, jobs.created_at, jobs.updated_at
FROM :rows(kind text) JOIN jobs ON jobs.kind = rows.kind
WHERE jobs.state = 'running' AND jobs.due_at <= :now AND jobs.position > :after
ORDER BY jobs.position LIMIT :most;

-- name: jobs_claim
SELECT 1 FROM :rows(kind text) WHERE :now = 0 AND :after = 0 AND :most = 0 AND :claim = '' AND :until = 0;

-- name: jobs_claim [postgres]
-- One process works at a job at a time; it takes its own again, those of a process that died when their lease ends.
UPDATE jobs SET claim = :claim, claimed_until = :until WHERE position = ANY (ARRAY(
    SELECT jobs.position FROM jobs WHERE jobs.state = 'running' AND jobs.kind IN (SELECT kind FROM :rows(kind text))
      AND jobs.due_at <= :now AND jobs.position > :after AND (jobs.claim = :claim OR jobs.claimed_until <= :now)
    ORDER BY jobs.position LIMIT :most FOR UPDATE SKIP LOCKED))
RETURNING position, id, tenant, kind, subject, state, params, cursor, done, total, note, actor, created_at, updated_at;

-- name: jobs_renew
UPDATE jobs SET claimed_until = :until FROM :rows(position int, claim text)
WHERE jobs.position = rows.position AND jobs.claim = rows.claim AND jobs.state = 'running';

-- name: jobs_hold
-- Whether it is still ours to go on with from here.
SELECT 1 FROM jobs WHERE id = :id AND state = 'running' AND claim = :claim AND cursor = :cursor :lock;

-- name: jobs_put
UPDATE jobs SET state = :state, cursor = :cursor, done = :done, total = :total, note = :note, updated_at = :now,
    due_at = :due_at WHERE id = :id AND state = 'running';

-- name: jobs_end
UPDATE jobs SET state = :state, updated_at = :now, claim = '', claimed_until = 0
WHERE id = :id AND tenant = :tenant AND state = 'running';

-- name: jobs_get
SELECT position, id, tenant, kind, subject, state, params, cursor, done, total, note, actor, created_at, updated_at
FROM jobs WHERE id = :id AND tenant = :tenant;

-- name: jobs_list
SELECT position, id, tenant, kind, subject, state, params, cursor, done, total, note, actor, created_at, updated_at
FROM jobs WHERE tenant = :tenant AND :past(position) AND (:kind = '' OR kind = :kind) AND (:state = '' OR state = :state)
  AND (:subject = '' OR subject = :subject) ORDER BY :along(position) LIMIT :most;

-- What a replay asks.

-- name: events_near
-- The first event at or after a position: by hops of it a time is found without a scan.
SELECT position, recorded_at FROM events WHERE position >= :position ORDER BY position LIMIT 1;

-- name: events_before
-- Of each of these events the newest one before it, of the same order, that a target was told of.
SELECT rows.event, (
    SELECT older.id FROM events AS older JOIN deliveries ON deliveries.event = older.id AND deliveries.target = :target
    WHERE older.order_id = rows.order_id AND older.position < this.position ORDER BY older.position DESC LIMIT 1)
FROM :rows(event text, order_id text) JOIN events AS this ON this.id = rows.event;

-- name: events_last
SELECT COALESCE(max(position), 0) FROM events;

-- name: events_between
SELECT page.position, page.id, page.order_id, page.type, page.test, page.sequence, page.envelope,
       snapshots.doc, COALESCE(orders.connection, ''), CASE WHEN page.silent = 1 THEN 1 ELSE COALESCE(orders.silent, 0) END
FROM (SELECT position, id, tenant, order_id, sequence, type, test, version, envelope, silent FROM events
      WHERE tenant = :tenant AND position > :after AND position <= :last
        AND recorded_at >= :since AND recorded_at <= :until ORDER BY position LIMIT :most) AS page
LEFT JOIN orders ON orders.id = page.order_id
LEFT JOIN snapshots ON snapshots.order_id = page.order_id AND snapshots.version = page.version
ORDER BY page.position;

-- name: events_of_order_between
SELECT page.position, page.id, page.order_id, page.type, page.test, page.sequence, page.envelope,
       snapshots.doc, COALESCE(orders.connection, ''), CASE WHEN page.silent = 1 THEN 1 ELSE COALESCE(orders.silent, 0) END
FROM (SELECT position, id, tenant, order_id, sequence, type, test, version, envelope, silent FROM events
      WHERE order_id = :order_id AND tenant = :tenant AND position > :after AND position <= :last
        AND recorded_at >= :since AND recorded_at <= :until ORDER BY position LIMIT :most) AS page
LEFT JOIN orders ON orders.id = page.order_id
LEFT JOIN snapshots ON snapshots.order_id = page.order_id AND snapshots.version = page.version
ORDER BY page.position;

-- name: events_count
SELECT count(*) FROM events WHERE tenant = :tenant AND position > :after AND position <= :last
  AND (:order_id = '' OR order_id = :order_id);

-- name: deliveries_of_events
SELECT deliveries.event, deliveries.position, deliveries.status FROM :rows(event text)
JOIN deliveries ON deliveries.event = rows.event WHERE deliveries.target = :target;

-- name: deliveries_dead
SELECT deliveries.position, deliveries.event, deliveries.order_id, events.type FROM deliveries
JOIN events ON events.id = deliveries.event
WHERE deliveries.target = :target AND deliveries.status IN ('held', 'dead') AND deliveries.status = 'dead'
  AND deliveries.position > :after AND deliveries.first_at >= :since AND events.recorded_at <= :until
  AND (:order_id = '' OR deliveries.order_id = :order_id)
ORDER BY deliveries.position LIMIT :most;

-- name: deliveries_dead_count
SELECT count(*) FROM deliveries WHERE target = :target AND status IN ('held', 'dead') AND status = 'dead'
  AND first_at >= :since AND (:order_id = '' OR order_id = :order_id);

-- name: deliveries_outstanding
-- How much of a target is on its way, counted no further than asked.
SELECT (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE target = :target AND status = 'due' LIMIT :most) AS ready)
     + (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE target = :target AND status = 'waiting' LIMIT :most) AS later);

-- name: deliveries_replay
-- The same delivery again, with a whole new schedule; in turn with its order (`ordered` is 1) where the endpoint wants it.
UPDATE deliveries SET status = CASE WHEN deliveries.order_id = '' OR rows.ordered = 0 THEN 'due' ELSE 'waiting' END,
    due_at = rows.due_at, trigger = 'replay', attempts = 0, first_at = 0, claim = '', claimed_until = 0
FROM :rows(position int, ordered int, due_at int)
WHERE deliveries.position = rows.position AND deliveries.status IN ('dead', 'delivered', 'skipped', 'dropped');
