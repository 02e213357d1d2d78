-- name: optouts_find
SELECT at, reason FROM optouts WHERE tenant = :tenant AND hash = :hash;

-- name: optouts_add
INSERT INTO optouts (tenant, hash, at, reason) SELECT tenant, hash, at, reason
FROM :rows(tenant text, hash text, at int, reason text) WHERE true ON CONFLICT (tenant, hash) DO NOTHING;

-- name: optouts_drop
DELETE FROM optouts WHERE tenant = :tenant AND hash = :hash;

-- name: optouts_list
SELECT hash, at, reason FROM optouts WHERE tenant = :tenant AND hash > :after ORDER BY hash LIMIT :most;
