-- name: health_put
-- What a group of attempts says of each target: a success ends a run of failures, those after it begin another.
INSERT INTO health (target, first_failed_at, last_failed_at, last_success_at, told_at)
SELECT target, first_failed_at, last_failed_at, last_success_at, 0
FROM :rows(target text, first_failed_at int, last_failed_at int, last_success_at int) WHERE true
ON CONFLICT (target) DO UPDATE SET
    first_failed_at = CASE WHEN excluded.last_success_at > 0 OR health.first_failed_at = 0 THEN excluded.first_failed_at
                           ELSE health.first_failed_at END,
    last_failed_at = CASE WHEN excluded.last_failed_at > health.last_failed_at THEN excluded.last_failed_at
                          ELSE health.last_failed_at END,
    last_success_at = CASE WHEN excluded.last_success_at > health.last_success_at THEN excluded.last_success_at
                           ELSE health.last_success_at END;

-- name: health_failing
SELECT target, first_failed_at, last_failed_at, last_success_at, told_at FROM health
WHERE first_failed_at > 0 OR told_at > 0 ORDER BY target;

-- name: health_get
SELECT target, first_failed_at, last_failed_at, last_success_at, told_at FROM health WHERE target = :target;

-- name: health_succeeded
-- A success that its process had no news of ends the runs of failures that began before it; one that went on after it
-- begins with the last failure that is known.
UPDATE health SET
    first_failed_at = CASE WHEN health.last_failed_at > rows.at THEN health.last_failed_at ELSE 0 END,
    last_success_at = CASE WHEN rows.at > health.last_success_at THEN rows.at ELSE health.last_success_at END
FROM :rows(target text, at int)
WHERE health.target = rows.target AND health.first_failed_at > 0 AND health.first_failed_at < rows.at;

-- name: health_told
UPDATE health SET told_at = :told_at WHERE target = :target;

-- name: health_reset
UPDATE health SET first_failed_at = 0, last_failed_at = 0, told_at = 0 WHERE target = :target;

-- name: health_drop
DELETE FROM health WHERE target = :target;

-- name: things_status
SELECT status FROM things WHERE kind = :kind AND id = :id;

-- name: attempts_of_target
SELECT attempts.delivery, attempts.at, attempts.outcome, attempts.detail, deliveries.event, deliveries.order_id, events.type
FROM attempts JOIN deliveries ON deliveries.position = attempts.delivery JOIN events ON events.id = deliveries.event
WHERE attempts.target = :target AND attempts.at >= :since AND attempts.at <= :until
  AND (attempts.at :beyond :at OR (attempts.at = :at AND attempts.delivery :beyond :delivery))
  AND (:outcome = '' OR attempts.outcome = :outcome) AND (:order_id = '' OR deliveries.order_id = :order_id)
  AND (:event = '' OR deliveries.event = :event)
ORDER BY :along(attempts.at), :along(attempts.delivery) LIMIT :most;
