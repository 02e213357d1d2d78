-- What all processes share of a target: its circuit, its rate, its slots.

-- name: flows_put
INSERT INTO flows (target, allowed_at, opened_at, probe_at, probes, since)
SELECT target, 0, opened_at, probe_at, probes, since
FROM :rows(target text, opened_at int, probe_at int, probes int, since int) WHERE true
ON CONFLICT (target) DO UPDATE SET opened_at = excluded.opened_at, probe_at = excluded.probe_at, probes = excluded.probes,
    since = excluded.since;

-- name: flows_open
SELECT target, opened_at, probe_at, probes FROM flows WHERE opened_at > 0;

-- name: flows_probe
-- One process wins the probe that is due: the next is not before then.
UPDATE flows SET probe_at = :next WHERE target = :target AND opened_at > 0 AND probe_at <= :now;

-- name: flows_begin
INSERT INTO flows (target, allowed_at, opened_at, probe_at, probes, since)
SELECT target, 0, 0, 0, 0, 0 FROM :rows(target text) WHERE true ON CONFLICT (target) DO NOTHING;

-- name: flows_lock
SELECT flows.target, flows.allowed_at FROM flows WHERE flows.target IN (SELECT target FROM :rows(target text))
ORDER BY flows.target :lock;

-- name: flows_allow
UPDATE flows SET allowed_at = rows.allowed_at FROM :rows(target text, allowed_at int) WHERE flows.target = rows.target;

-- name: shares_of
SELECT shares.target, shares.slots FROM :rows(target text) JOIN shares ON shares.target = rows.target
WHERE shares.until > :now AND shares.claim <> :claim;

-- name: shares_put
INSERT INTO shares (target, claim, slots, until) SELECT target, claim, slots, until
FROM :rows(target text, claim text, slots int, until int) WHERE true
ON CONFLICT (target, claim) DO UPDATE SET slots = excluded.slots, until = excluded.until;

-- name: shares_leave
-- This process ends, or others did long ago.
DELETE FROM shares WHERE claim = :claim OR until < :before;

-- How a target's queue stands.

-- name: flows_get
SELECT opened_at, probe_at, probes FROM flows WHERE target = :target;

-- name: queue_depth
-- Counted no further than asked.
SELECT (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE target = :target AND status = 'due' LIMIT :most) AS ready),
       (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE target = :target AND status = 'waiting' LIMIT :most) AS later),
       (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE target = :target AND status = 'held' LIMIT :most) AS aside);

-- name: queue_oldest
SELECT event, due_at FROM deliveries WHERE target = :target AND status = 'due' ORDER BY due_at, position LIMIT 1;

-- name: queue_stuck
-- Heads that were refused, the longest first: of each how many wait behind it, counted no further than asked.
SELECT page.first_at, page.position, page.order_id,
       (SELECT count(*) FROM (SELECT 1 FROM deliveries AS next WHERE next.target = page.target
                              AND next.order_id = page.order_id AND next.status = 'waiting' LIMIT :count) AS behind)
FROM (SELECT first_at, position, target, order_id FROM deliveries
      WHERE target = :target AND status = 'due' AND first_at > 0 AND (first_at, position) > (:at, :position)
      ORDER BY first_at, position LIMIT :most) AS page
ORDER BY page.first_at, page.position;

-- name: queue_head
SELECT head FROM heads WHERE target = :target AND order_id = :order_id AND head <> 0;

-- name: queue_of_order
SELECT deliveries.position, deliveries.target, deliveries.event, deliveries.order_id, deliveries.status, deliveries.due_at,
       deliveries.attempts, deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.outcome, events.type
FROM deliveries JOIN events ON events.id = deliveries.event
WHERE deliveries.target = :target AND deliveries.order_id = :order_id AND deliveries.status = 'waiting'
ORDER BY deliveries.position LIMIT :most;

-- name: deliveries_of_order
SELECT deliveries.position, deliveries.target, deliveries.event, deliveries.order_id, deliveries.status, deliveries.due_at,
       deliveries.attempts, deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.outcome, events.type
FROM events JOIN deliveries ON deliveries.event = events.id
WHERE events.order_id = :order_id AND events.tenant = :tenant AND deliveries.position > :after
ORDER BY deliveries.position LIMIT :most;
