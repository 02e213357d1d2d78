-- Lists of what went out, by whatever finds the fewest: an event, an order, a status that few have; else a stretch of
-- all of it, so that a page that finds nothing has not read everything. `every` is 1 where any target will do.

-- name: deliveries_find_of_event
SELECT deliveries.position, deliveries.target, deliveries.event, deliveries.order_id, deliveries.status, deliveries.due_at,
       deliveries.attempts, deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.outcome, events.type
FROM deliveries JOIN events ON events.id = deliveries.event
WHERE deliveries.tenant = :tenant AND :past(deliveries.position) AND deliveries.position > :floor
  AND deliveries.event = :event
  AND (:status = '' OR deliveries.status = :status)
  AND (:order_id = '' OR deliveries.order_id = :order_id)
  AND (:type = '' OR events.type LIKE :type ESCAPE '\') AND events.recorded_at >= :since AND events.recorded_at <= :until
  AND (:every = 1 OR deliveries.target IN (SELECT target FROM :rows(target text)))
ORDER BY :along(deliveries.position) LIMIT :most;

-- name: deliveries_find_of_order
SELECT deliveries.position, deliveries.target, deliveries.event, deliveries.order_id, deliveries.status, deliveries.due_at,
       deliveries.attempts, deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.outcome, events.type
FROM events JOIN deliveries ON deliveries.event = events.id
WHERE deliveries.tenant = :tenant AND :past(deliveries.position) AND deliveries.position > :floor
  AND events.order_id = :order_id AND events.tenant = :tenant
  AND (:status = '' OR deliveries.status = :status)
  AND (:type = '' OR events.type LIKE :type ESCAPE '\') AND events.recorded_at >= :since AND events.recorded_at <= :until
  AND (:every = 1 OR deliveries.target IN (SELECT target FROM :rows(target text)))
ORDER BY :along(deliveries.position) LIMIT :most;

-- name: deliveries_find_quiet
SELECT deliveries.position, deliveries.target, deliveries.event, deliveries.order_id, deliveries.status, deliveries.due_at,
       deliveries.attempts, deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.outcome, events.type
FROM :rows(target text) JOIN deliveries ON deliveries.target = rows.target
JOIN events ON events.id = deliveries.event
WHERE deliveries.tenant = :tenant AND :past(deliveries.position) AND deliveries.position > :floor
  AND deliveries.status = :status AND deliveries.status IN ('held', 'dead')
  AND (:type = '' OR events.type LIKE :type ESCAPE '\') AND events.recorded_at >= :since AND events.recorded_at <= :until
ORDER BY :along(deliveries.position) LIMIT :most;

-- name: deliveries_find_due
SELECT deliveries.position, deliveries.target, deliveries.event, deliveries.order_id, deliveries.status, deliveries.due_at,
       deliveries.attempts, deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.outcome, events.type
FROM :rows(target text) JOIN deliveries ON deliveries.target = rows.target
JOIN events ON events.id = deliveries.event
WHERE deliveries.tenant = :tenant AND :past(deliveries.position) AND deliveries.position > :floor
  AND deliveries.status = 'due'
  AND (:type = '' OR events.type LIKE :type ESCAPE '\') AND events.recorded_at >= :since AND events.recorded_at <= :until
ORDER BY :along(deliveries.position) LIMIT :most;

-- name: deliveries_find_waiting
SELECT deliveries.position, deliveries.target, deliveries.event, deliveries.order_id, deliveries.status, deliveries.due_at,
       deliveries.attempts, deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.outcome, events.type
FROM :rows(target text) JOIN deliveries ON deliveries.target = rows.target
JOIN events ON events.id = deliveries.event
WHERE deliveries.tenant = :tenant AND :past(deliveries.position) AND deliveries.position > :floor
  AND deliveries.status = 'waiting'
  AND (:type = '' OR events.type LIKE :type ESCAPE '\') AND events.recorded_at >= :since AND events.recorded_at <= :until
ORDER BY :along(deliveries.position) LIMIT :most;

-- name: deliveries_find
SELECT deliveries.position, deliveries.target, deliveries.event, deliveries.order_id, deliveries.status, deliveries.due_at,
       deliveries.attempts, deliveries.first_at, deliveries.previous, deliveries.trigger, deliveries.outcome, events.type
FROM (SELECT position FROM deliveries WHERE :past(position) AND position > :floor ORDER BY :along(position) LIMIT :span) AS page
JOIN deliveries ON deliveries.position = page.position JOIN events ON events.id = deliveries.event
WHERE deliveries.tenant = :tenant
  AND (:status = '' OR deliveries.status = :status)
  AND (:type = '' OR events.type LIKE :type ESCAPE '\') AND events.recorded_at >= :since AND events.recorded_at <= :until
  AND (:every = 1 OR deliveries.target IN (SELECT target FROM :rows(target text)))
ORDER BY :along(deliveries.position) LIMIT :most;

-- name: deliveries_span
-- How far such a stretch goes.
SELECT count(*), COALESCE(min(position), 0), COALESCE(max(position), 0) FROM (
    SELECT position FROM deliveries WHERE :past(position) AND position > :floor ORDER BY :along(position) LIMIT :span) AS page;

-- name: deliveries_quiet_targets
-- The targets for which something is held or dead, by hops along the index.
WITH RECURSIVE hops(target) AS (
    SELECT min(target) FROM deliveries WHERE status IN ('held', 'dead')
    UNION ALL
    SELECT (SELECT min(deliveries.target) FROM deliveries WHERE deliveries.status IN ('held', 'dead') AND deliveries.target > hops.target)
    FROM hops WHERE hops.target IS NOT NULL)
SELECT target FROM hops WHERE target IS NOT NULL;
