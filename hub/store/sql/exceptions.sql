-- name: troubles_add
INSERT INTO troubles (tenant, cause, subject, at) SELECT tenant, cause, subject, at
FROM :rows(tenant text, cause text, subject text, at int) WHERE true ON CONFLICT DO NOTHING;

-- name: exceptions_open
-- One row per cause: opened, or counted up with the newest example.
INSERT INTO exceptions (id, tenant, cause, position, state, severity, count, first_at, last_at, doc)
SELECT id, tenant, cause, position, 'open', severity, count, at, at, doc
FROM :rows(id text, tenant text, cause text, position int, severity text, count int, at int, doc blob) WHERE true
ON CONFLICT (tenant, cause) WHERE state <> 'closed' DO UPDATE SET count = exceptions.count + excluded.count,
    last_at = excluded.last_at, position = excluded.position, doc = excluded.doc;

-- name: troubles_clear
DELETE FROM troubles WHERE subject IN (SELECT subject FROM :rows(subject text));

-- name: troubles_causes
SELECT DISTINCT troubles.tenant, troubles.cause FROM troubles JOIN :rows(subject text) ON troubles.subject = rows.subject;

-- name: exceptions_close_idle
UPDATE exceptions SET state = 'closed', position = :position, last_at = :now
FROM :rows(tenant text, cause text)
WHERE exceptions.tenant = rows.tenant AND exceptions.cause = rows.cause AND exceptions.state <> 'closed'
  AND NOT EXISTS (SELECT 1 FROM troubles WHERE troubles.tenant = exceptions.tenant AND troubles.cause = exceptions.cause);

-- name: exceptions_list
SELECT id, cause, position, state, severity, count, first_at, last_at, doc FROM exceptions
WHERE tenant = :tenant AND :past(position) AND (:state = '' OR state = :state OR (:state = 'unclosed' AND state <> 'closed'))
ORDER BY :along(position) LIMIT :most;

-- name: exceptions_get
SELECT id, cause, position, state, severity, count, first_at, last_at, doc FROM exceptions WHERE tenant = :tenant AND id = :id;

-- name: exceptions_state
UPDATE exceptions SET state = :state, position = :position WHERE tenant = :tenant AND id = :id AND state <> 'closed';

-- name: troubles_of
SELECT subject, at FROM troubles WHERE tenant = :tenant AND cause = :cause ORDER BY at, subject LIMIT :most;

-- name: troubles_drop_cause
DELETE FROM troubles WHERE tenant = :tenant AND cause = :cause;

-- name: troubles_subjects
SELECT DISTINCT subject FROM troubles;

-- name: troubles_of_deliveries
-- A page of the troubles of deliveries, with how those stand (null: it is no longer kept).
SELECT page.subject, deliveries.status, deliveries.target
FROM (SELECT DISTINCT subject FROM troubles WHERE subject > :after AND subject < 'dlv`' ORDER BY subject LIMIT :most) AS page
LEFT JOIN deliveries ON deliveries.position = CAST(substr(page.subject, 5) AS BIGINT)
ORDER BY page.subject;
