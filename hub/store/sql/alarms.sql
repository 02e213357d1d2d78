-- name: exceptions_untold
-- What the world has not been told: that one opened, or that one it knows of is closed.
SELECT id, tenant, cause, position, state, severity, count, first_at, last_at, doc, told FROM exceptions
WHERE told = '' OR (state = 'closed' AND told = 'opened') ORDER BY position LIMIT :most;

-- name: exceptions_told
UPDATE exceptions SET told = rows.told FROM :rows(id text, told text) WHERE exceptions.id = rows.id;

-- name: alarms_gate
INSERT INTO memories (owner, name, value, until) SELECT owner, name, value, 0 FROM :rows(owner text, name text, value blob)
WHERE true ON CONFLICT DO NOTHING;

-- name: alarms_lock
SELECT value FROM memories WHERE owner = 'alerts' AND name = 'watch' :lock;

-- name: alarms_add
INSERT INTO alarms (alert, exception, tenant, status, since, due_at, escalate_at)
SELECT alert, exception, tenant, status, since, due_at, 0
FROM :rows(alert text, exception text, tenant text, status text, since int, due_at int) WHERE true
ON CONFLICT (alert, exception) DO UPDATE SET status = excluded.status, due_at = excluded.due_at, escalate_at = 0;

-- name: alarms_hush
-- Closed before anybody was told: nobody needs to be.
DELETE FROM alarms WHERE status IN ('pending', 'escalated') AND exception IN (SELECT id FROM :rows(id text));

-- name: alarms_end
UPDATE alarms SET status = 'ending', due_at = :now, escalate_at = 0
WHERE status = 'told' AND exception IN (SELECT id FROM :rows(id text));

-- name: alarms_alerts
SELECT DISTINCT alert FROM alarms WHERE status <> 'told' AND due_at <= :now;

-- name: alarms_due
SELECT alarms.exception, alarms.status, alarms.since, exceptions.cause, exceptions.state, exceptions.severity,
       exceptions.count, exceptions.first_at, exceptions.last_at, exceptions.doc, alarms.tenant
FROM alarms LEFT JOIN exceptions ON exceptions.id = alarms.exception
WHERE alarms.alert = :alert AND alarms.status <> 'told' AND alarms.due_at <= :now
ORDER BY alarms.due_at, alarms.exception LIMIT :most;

-- name: alarms_said
UPDATE alarms SET status = 'told', escalate_at = rows.escalate_at FROM :rows(alert text, exception text, escalate_at int)
WHERE alarms.alert = rows.alert AND alarms.exception = rows.exception AND alarms.status IN ('pending', 'escalated');

-- name: alarms_later
UPDATE alarms SET due_at = rows.due_at FROM :rows(alert text, exception text, due_at int)
WHERE alarms.alert = rows.alert AND alarms.exception = rows.exception;

-- name: alarms_drop
DELETE FROM alarms WHERE EXISTS (SELECT 1 FROM :rows(alert text, exception text)
    WHERE rows.alert = alarms.alert AND rows.exception = alarms.exception);

-- name: alarms_forget
DELETE FROM alarms WHERE alert = :alert;

-- name: alarms_overdue
SELECT alarms.alert, alarms.exception, alarms.tenant, exceptions.state FROM alarms
JOIN exceptions ON exceptions.id = alarms.exception
WHERE alarms.status = 'told' AND alarms.escalate_at > 0 AND alarms.escalate_at <= :now LIMIT :most;

-- name: alarms_calm
UPDATE alarms SET escalate_at = 0 FROM :rows(alert text, exception text)
WHERE alarms.alert = rows.alert AND alarms.exception = rows.exception;

-- name: alarm_turns_get
SELECT claim, claimed_until, recent, attempts, retry_at FROM alarm_turns WHERE alert = :alert :lock;

-- name: alarm_turns_first
INSERT INTO alarm_turns (alert, claim, claimed_until, recent, attempts, retry_at)
SELECT alert, '', 0, '', 0, 0 FROM :rows(alert text) WHERE true ON CONFLICT DO NOTHING;

-- name: alarm_turns_put
INSERT INTO alarm_turns (alert, claim, claimed_until, recent, attempts, retry_at)
SELECT alert, claim, claimed_until, recent, attempts, retry_at
FROM :rows(alert text, claim text, claimed_until int, recent text, attempts int, retry_at int) WHERE true
ON CONFLICT (alert) DO UPDATE SET claim = excluded.claim, claimed_until = excluded.claimed_until,
    recent = excluded.recent, attempts = excluded.attempts, retry_at = excluded.retry_at;

-- name: alarm_turns_keep
-- Whoever took longer than its lease writes nothing over the turn of another.
UPDATE alarm_turns SET claimed_until = rows.claimed_until, recent = rows.recent, attempts = rows.attempts,
    retry_at = rows.retry_at
FROM :rows(alert text, claim text, claimed_until int, recent text, attempts int, retry_at int)
WHERE alarm_turns.alert = rows.alert AND alarm_turns.claim = rows.claim;

-- name: alarm_turns_renew
-- A turn that was given back stays anyone's.
UPDATE alarm_turns SET claimed_until = :until FROM :rows(alert text, claim text)
WHERE alarm_turns.alert = rows.alert AND alarm_turns.claim = rows.claim AND alarm_turns.claimed_until > 0;
