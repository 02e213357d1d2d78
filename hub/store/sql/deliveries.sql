-- name: heads_find
SELECT heads.target, heads.order_id, heads.last_event FROM :rows(target text, order_id text)
JOIN heads ON heads.target = rows.target AND heads.order_id = rows.order_id;

-- name: heads_take
-- Take the head where it is free. Settling locks the same rows, so neither passes the other by.
INSERT INTO heads (target, order_id, head, last_event)
SELECT target, order_id, head, last_event FROM :rows(target text, order_id text, head int, last_event text) WHERE true
ON CONFLICT (target, order_id) DO UPDATE SET
    head = CASE WHEN heads.head = 0 THEN excluded.head ELSE heads.head END, last_event = excluded.last_event;

-- name: heads_told
-- A target was told of an event out of turn: it is the last one, if it is the newest.
INSERT INTO heads (target, order_id, head, last_event)
SELECT target, order_id, 0, last_event FROM :rows(target text, order_id text, last_event text) WHERE true
ON CONFLICT (target, order_id) DO UPDATE SET last_event = excluded.last_event WHERE heads.last_event < excluded.last_event;

-- name: deliveries_add
-- `ask` is 1 where the head decides: the delivery that took it is due, the others wait.
INSERT INTO deliveries (position, tenant, target, event, order_id, status, due_at, attempts, first_at, previous, trigger,
                        shape, claim, claimed_until, outcome)
SELECT rows.position, rows.tenant, rows.target, rows.event, rows.order_id,
       CASE WHEN rows.ask = 0 THEN rows.status WHEN heads.head = rows.position THEN 'due' ELSE 'waiting' END,
       rows.due_at, 0, 0, rows.previous, rows.trigger, rows.shape, rows.claim, rows.claimed_until, ''
FROM :rows(position int, tenant text, target text, event text, order_id text, status text, ask int, due_at int,
           previous text, trigger text, shape text, claim text, claimed_until int)
LEFT JOIN heads ON rows.ask = 1 AND heads.target = rows.target AND heads.order_id = rows.order_id;

-- name: deliveries_ours
-- Which of these this process may still settle, and how many attempts they have had; nobody else settles them meanwhile.
SELECT position, attempts FROM deliveries WHERE position IN (SELECT position FROM :rows(position int))
  AND claim = :claim AND status IN ('due', 'waiting', 'held') ORDER BY position :lock;

-- name: deliveries_settle
UPDATE deliveries SET status = rows.status, due_at = rows.due_at, outcome = rows.outcome,
    attempts = deliveries.attempts + rows.tried, claim = '', claimed_until = 0,
    first_at = CASE WHEN deliveries.first_at = 0 THEN rows.at ELSE deliveries.first_at END
FROM :rows(position int, status text, due_at int, outcome text, tried int, at int, claim text, attempts int)
WHERE deliveries.position = rows.position AND deliveries.claim = rows.claim AND deliveries.attempts = rows.attempts
  AND deliveries.status IN ('due', 'waiting', 'held');

-- name: heads_settle
-- Give the head of an order to the oldest that waits, where what held it is settled: not where the claim was lost.
UPDATE heads SET head = COALESCE((
    SELECT min(deliveries.position) FROM deliveries
    WHERE deliveries.target = heads.target AND deliveries.order_id = heads.order_id AND deliveries.status = 'waiting'), 0)
FROM :rows(target text, order_id text, head int)
WHERE heads.target = rows.target AND heads.order_id = rows.order_id AND heads.head = rows.head
  AND NOT EXISTS (SELECT 1 FROM deliveries AS first WHERE first.position = heads.head AND first.status IN ('due', 'waiting'));

-- name: heads_pass
-- Give the head of an order to the oldest that waits, settled or not.
UPDATE heads SET head = COALESCE((
    SELECT min(deliveries.position) FROM deliveries
    WHERE deliveries.target = heads.target AND deliveries.order_id = heads.order_id AND deliveries.status = 'waiting'), 0)
FROM :rows(target text, order_id text, head int)
WHERE heads.target = rows.target AND heads.order_id = rows.order_id AND heads.head = rows.head;

-- name: heads_lock
SELECT 1 FROM :rows(target text, order_id text) WHERE false;

-- name: heads_lock [postgres]
SELECT 1 FROM heads WHERE (target, order_id) IN (SELECT target, order_id FROM :rows(target text, order_id text))
ORDER BY target, order_id FOR UPDATE;

-- name: deliveries_promote
UPDATE deliveries SET status = 'due', due_at = :now, claim = :claim, claimed_until = :until FROM heads
JOIN :rows(target text, order_id text) ON heads.target = rows.target AND heads.order_id = rows.order_id
WHERE deliveries.position = heads.head AND deliveries.status = 'waiting';

-- name: heads_of
-- The heads that were promoted at this moment, by this process.
SELECT heads.head FROM :rows(target text, order_id text)
JOIN heads ON heads.target = rows.target AND heads.order_id = rows.order_id
JOIN deliveries ON deliveries.position = heads.head
WHERE deliveries.status = 'due' AND deliveries.due_at = :now AND deliveries.claim = :claim;

-- name: attempts_add
INSERT INTO attempts (delivery, number, target, at, outcome, detail)
SELECT delivery, number, target, at, outcome, detail
FROM :rows(delivery int, number int, target text, at int, outcome text, detail blob) WHERE true
ON CONFLICT (delivery, number) DO NOTHING;

-- name: deliveries_due
SELECT deliveries.position, deliveries.tenant, deliveries.target, deliveries.event, deliveries.order_id, deliveries.attempts,
       deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.shape, deliveries.due_at, events.type, events.envelope, snapshots.doc
FROM deliveries JOIN events ON events.id = deliveries.event
LEFT JOIN snapshots ON snapshots.order_id = events.order_id AND snapshots.version = events.version
WHERE deliveries.target = :target AND deliveries.status = 'due' AND deliveries.due_at <= :now
ORDER BY deliveries.due_at, deliveries.position LIMIT :most;

-- name: deliveries_claim [postgres]
-- An array, so that the limit is run once, whatever plan is chosen.
UPDATE deliveries SET claim = :claim, claimed_until = :until WHERE position = ANY (ARRAY(
    SELECT position FROM deliveries WHERE target = :target AND status = 'due' AND due_at <= :now AND claimed_until <= :now
    ORDER BY due_at, position LIMIT :most FOR UPDATE SKIP LOCKED))
RETURNING position;

-- name: deliveries_load
-- Those of these that this process has claimed: another may have promoted one meanwhile, and sends it.
SELECT deliveries.position, deliveries.tenant, deliveries.target, deliveries.event, deliveries.order_id, deliveries.attempts,
       deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.shape, deliveries.due_at, events.type, events.envelope, snapshots.doc
FROM :rows(position int) JOIN deliveries ON deliveries.position = rows.position JOIN events ON events.id = deliveries.event
LEFT JOIN snapshots ON snapshots.order_id = events.order_id AND snapshots.version = events.version
WHERE deliveries.status = 'due' AND deliveries.claim = :claim;

-- name: deliveries_renew
UPDATE deliveries SET claimed_until = :until FROM :rows(position int, claim text)
WHERE deliveries.position = rows.position AND deliveries.claim = rows.claim;

-- name: deliveries_list
-- Those of an event by its index, else by their order: one condition for both would find neither.
SELECT deliveries.position, deliveries.target, deliveries.event, deliveries.order_id, deliveries.status, deliveries.due_at,
       deliveries.attempts, deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.outcome, events.type
FROM deliveries JOIN events ON events.id = deliveries.event
WHERE :event <> '' AND deliveries.event = :event
  AND deliveries.tenant = :tenant AND deliveries.position > :after
  AND (:target = '' OR deliveries.target = :target) AND (:status = '' OR deliveries.status = :status)
  AND (:order_id = '' OR deliveries.order_id = :order_id)
UNION ALL
SELECT deliveries.position, deliveries.target, deliveries.event, deliveries.order_id, deliveries.status, deliveries.due_at,
       deliveries.attempts, deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.outcome, events.type
FROM deliveries JOIN events ON events.id = deliveries.event
WHERE :event = ''
  AND deliveries.tenant = :tenant AND deliveries.position > :after
  AND (:target = '' OR deliveries.target = :target) AND (:status = '' OR deliveries.status = :status)
  AND (:order_id = '' OR deliveries.order_id = :order_id)
ORDER BY 1 LIMIT :most;

-- name: deliveries_get
SELECT deliveries.position, deliveries.target, deliveries.event, deliveries.order_id, deliveries.status, deliveries.due_at,
       deliveries.attempts, deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.outcome, events.type
FROM deliveries JOIN events ON events.id = deliveries.event
WHERE deliveries.tenant = :tenant AND deliveries.position = :position;

-- name: attempts_of
SELECT number, at, outcome, detail FROM attempts WHERE delivery = :delivery ORDER BY number;

-- name: deliveries_again
-- Redeliver: out of turn, with a new first attempt; an order that is not waiting does not start to.
UPDATE deliveries SET status = 'due', due_at = :now, trigger = 'manual', attempts = 0, first_at = 0, claim = '', claimed_until = 0
WHERE tenant = :tenant AND position = :position AND status IN ('dead', 'delivered', 'skipped', 'held', 'dropped');

-- name: deliveries_skip
UPDATE deliveries SET status = 'skipped', claim = '' WHERE tenant = :tenant AND position = :position
  AND status IN ('due', 'waiting', 'dead', 'held');

-- name: deliveries_release
-- In order per order where the endpoint wants it (`ordered` is 1): then the heads decide.
UPDATE deliveries SET status = CASE WHEN deliveries.order_id = '' OR rows.ordered = 0 THEN 'due' ELSE 'waiting' END,
    due_at = rows.due_at, claim = '', claimed_until = 0
FROM :rows(position int, ordered int, due_at int)
WHERE deliveries.position = rows.position AND deliveries.status = 'held';

-- name: deliveries_held
SELECT position, order_id FROM deliveries WHERE target = :target AND status = 'held' ORDER BY position LIMIT :most;

-- name: deliveries_held_targets
-- The targets for which something is held, by hops along the index.
WITH RECURSIVE hops(target) AS (
    SELECT min(target) FROM deliveries WHERE status = 'held'
    UNION ALL
    SELECT (SELECT min(deliveries.target) FROM deliveries WHERE deliveries.status = 'held' AND deliveries.target > hops.target)
    FROM hops WHERE hops.target IS NOT NULL)
SELECT target FROM hops WHERE target IS NOT NULL;

-- name: deliveries_going
-- Some of what is on its way to a target.
SELECT position, order_id FROM (
    SELECT position, order_id FROM deliveries WHERE target = :target AND status = 'due' LIMIT :most) AS ready
UNION ALL SELECT position, order_id FROM (
    SELECT position, order_id FROM deliveries WHERE target = :target AND status = 'waiting' LIMIT :most) AS later
LIMIT :most;

-- name: deliveries_put_aside
UPDATE deliveries SET status = rows.status, claim = '', claimed_until = 0,
    outcome = CASE WHEN rows.outcome = '' THEN deliveries.outcome ELSE rows.outcome END
FROM :rows(position int, status text, outcome text)
WHERE deliveries.position = rows.position AND deliveries.status IN ('due', 'waiting', 'held');

-- name: heads_leave
-- These orders have no head any more, where nothing of theirs is outstanding.
UPDATE heads SET head = 0 FROM :rows(target text, order_id text)
WHERE heads.target = rows.target AND heads.order_id = rows.order_id
  AND NOT EXISTS (SELECT 1 FROM deliveries AS first WHERE first.position = heads.head AND first.status IN ('due', 'waiting'));

-- name: deliveries_wake
-- The far side answers again: what waited is due since it was told, so that the oldest goes first. Some at a time; what
-- was told by a clock that has been set back since is due now, so that no one is woken twice.
UPDATE deliveries SET due_at = (
    SELECT CASE WHEN events.recorded_at < :now THEN events.recorded_at ELSE :now END FROM events WHERE events.id = deliveries.event)
WHERE position IN (SELECT position FROM deliveries WHERE target = :target AND status = 'due' AND due_at > :now
                   ORDER BY due_at, position LIMIT :most);

-- name: heads_stuck
-- Orders whose deliveries wait though nothing of theirs is outstanding: among a page of those that wait.
SELECT page.target, page.order_id FROM (
    SELECT target, order_id FROM deliveries WHERE target = :target AND status = 'waiting'
      AND (order_id, position) > (:order_id, :position) ORDER BY order_id, position LIMIT :most) AS page
LEFT JOIN heads ON heads.target = page.target AND heads.order_id = page.order_id
LEFT JOIN deliveries AS first ON first.position = heads.head
WHERE heads.head IS NULL OR heads.head = 0 OR first.status IS NULL OR first.status NOT IN ('due', 'waiting')
GROUP BY page.target, page.order_id;

-- name: deliveries_waiting_page
-- That page, to go on from its end.
SELECT order_id, position FROM deliveries WHERE target = :target AND status = 'waiting'
  AND (order_id, position) > (:order_id, :position) ORDER BY order_id, position LIMIT :most;

-- name: deliveries_waiting_targets
-- The targets for which something waits, by hops along the index.
WITH RECURSIVE hops(target) AS (
    SELECT min(target) FROM deliveries WHERE status = 'waiting'
    UNION ALL
    SELECT (SELECT min(deliveries.target) FROM deliveries WHERE deliveries.status = 'waiting' AND deliveries.target > hops.target)
    FROM hops WHERE hops.target IS NOT NULL)
SELECT target FROM hops WHERE target IS NOT NULL;

-- name: heads_blocked
-- Orders whose head has failed for longer than its endpoint lets it hold the others back: among a page of what was
-- tried and is due again, the oldest first.
SELECT heads.target, heads.order_id, heads.head, page.tenant, events.type, page.outcome
FROM (SELECT position, tenant, target, event, order_id, outcome FROM deliveries
      WHERE target = :target AND status = 'due' AND first_at > 0 AND first_at <= :before
        AND (first_at, position) > (:at, :position) ORDER BY first_at, position LIMIT :most) AS page
JOIN heads ON heads.target = page.target AND heads.order_id = page.order_id AND heads.head = page.position
JOIN events ON events.id = page.event
WHERE EXISTS (SELECT 1 FROM deliveries AS next WHERE next.target = heads.target AND next.order_id = heads.order_id
              AND next.status = 'waiting');

-- name: deliveries_tried_page
SELECT first_at, position FROM deliveries WHERE target = :target AND status = 'due' AND first_at > 0
  AND first_at <= :before AND (first_at, position) > (:at, :position) ORDER BY first_at, position LIMIT :most;

-- name: heads_restart
-- The oldest that waits has its turn, where still nothing of its order is outstanding.
UPDATE heads SET head = COALESCE((
    SELECT min(deliveries.position) FROM deliveries
    WHERE deliveries.target = heads.target AND deliveries.order_id = heads.order_id AND deliveries.status = 'waiting'), 0)
FROM :rows(target text, order_id text)
WHERE heads.target = rows.target AND heads.order_id = rows.order_id
  AND NOT EXISTS (SELECT 1 FROM deliveries AS first WHERE first.position = heads.head AND first.status IN ('due', 'waiting'));

-- name: deliveries_shape
UPDATE deliveries SET shape = :shape WHERE position = :position;

-- name: renderings_put
INSERT INTO renderings (event, shape, body) SELECT event, shape, body FROM :rows(event text, shape text, body blob) WHERE true
ON CONFLICT (event, shape) DO NOTHING;

-- name: renderings_get
SELECT renderings.event, renderings.shape, renderings.body FROM :rows(event text, shape text)
JOIN renderings ON renderings.event = rows.event AND renderings.shape = rows.shape;

-- name: deliveries_targets
-- The targets that have something due, by hops along the index: not a scan of all that waits.
WITH RECURSIVE hops(target) AS (
    SELECT min(target) FROM deliveries WHERE status = 'due'
    UNION ALL
    SELECT (SELECT min(deliveries.target) FROM deliveries WHERE deliveries.status = 'due' AND deliveries.target > hops.target)
    FROM hops WHERE hops.target IS NOT NULL)
SELECT target FROM hops WHERE target IS NOT NULL;

-- name: deliveries_claim
SELECT 1 WHERE :target = '' AND :now = 0 AND :most = 0 AND :claim = '' AND :until = 0;

-- name: heads_take_empty
INSERT INTO heads (target, order_id, head, last_event)
SELECT target, order_id, 0, '' FROM :rows(target text, order_id text) WHERE true ON CONFLICT DO NOTHING;

-- name: targets_told
-- Which of these targets were told of an order.
SELECT DISTINCT deliveries.target FROM events JOIN deliveries ON deliveries.event = events.id
JOIN :rows(target text) ON rows.target = deliveries.target
WHERE events.tenant = :tenant AND events.order_id = :order_id AND deliveries.status <> 'held' ORDER BY deliveries.target;
