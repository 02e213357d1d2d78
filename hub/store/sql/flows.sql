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
