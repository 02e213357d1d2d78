-- name: things_add
INSERT INTO things (kind, id, tenant, name, position, status, created_at, updated_at, doc)
SELECT kind, id, tenant, name, position, status, created_at, updated_at, doc
FROM :rows(kind text, id text, tenant text, name text, position int, status text, created_at int, updated_at int, doc blob)
WHERE true;

-- name: things_change
-- A thing that somebody else has changed since `seen` gets no position, and without one nothing of the unit is written.
UPDATE things SET name = rows.name, status = rows.status, updated_at = rows.updated_at, doc = rows.doc,
    position = CASE WHEN things.position = rows.seen THEN rows.position END
FROM :rows(kind text, id text, tenant text, name text, position int, status text, created_at int, updated_at int, doc blob, seen int)
WHERE things.kind = rows.kind AND things.id = rows.id;

-- name: things_stand
-- How a thing stands, and nothing else of it: who changes the rest at the same moment is not undone.
UPDATE things SET status = :status, position = :position, updated_at = :now WHERE kind = :kind AND id = :id;

-- name: things_all
SELECT kind, id, tenant, name, position, status, created_at, updated_at, doc FROM things WHERE kind = :kind ORDER BY id;

-- name: things_drop
DELETE FROM things WHERE kind = :kind AND id = :id AND tenant = :tenant;

-- name: things_revision
SELECT COALESCE(max(position), 0), count(*) FROM things;

-- name: meta_get
SELECT value FROM meta WHERE name = :name;

-- name: meta_first
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING;

-- name: memories_get
SELECT value FROM memories WHERE owner = :owner AND name = :name AND (until = 0 OR until > :now);

-- name: memories_all
SELECT name, value FROM memories WHERE owner = :owner AND (until = 0 OR until > :now) ORDER BY name;

-- name: memories_put
INSERT INTO memories (owner, name, value, until) SELECT owner, name, value, until
FROM :rows(owner text, name text, value blob, until int) WHERE true
ON CONFLICT (owner, name) DO UPDATE SET value = excluded.value, until = excluded.until;

-- name: memories_drop
DELETE FROM memories WHERE owner = :owner AND name = :name;

-- name: memories_drop_all
DELETE FROM memories WHERE owner = :owner;

-- name: calls_get
SELECT digest, status, answer FROM calls WHERE tenant = :tenant AND key = :key AND at > :since;

-- name: calls_add
INSERT INTO calls (tenant, key, digest, at, status, answer) VALUES (:tenant, :key, :digest, :at, :status, :answer)
ON CONFLICT (tenant, key) DO UPDATE SET digest = excluded.digest, at = excluded.at, status = excluded.status, answer = excluded.answer;

-- name: audit_add
INSERT INTO audit (position, tenant, at, actor, action, subject, detail)
SELECT position, tenant, at, actor, action, subject, detail
FROM :rows(position int, tenant text, at int, actor text, action text, subject text, detail blob) WHERE true;

-- name: audit_list
SELECT position, at, actor, action, subject, detail FROM audit WHERE tenant = :tenant AND position > :after
  AND (:subject = '' OR subject = :subject) ORDER BY position LIMIT :most;

-- name: mappings_put
INSERT INTO mappings (hash, name, body, created_at) VALUES (:hash, :name, :body, :created_at) ON CONFLICT (hash) DO NOTHING;

-- name: mappings_get
SELECT name, body FROM mappings WHERE hash = :hash;

-- name: activations_add
INSERT INTO activations (position, tenant, name, hash, at, actor) VALUES (:position, :tenant, :name, :hash, :at, :actor);

-- name: activations_all
SELECT activations.tenant, activations.name, activations.hash, activations.at, activations.actor, mappings.body
FROM activations JOIN mappings ON mappings.hash = activations.hash
WHERE activations.position = (SELECT max(later.position) FROM activations AS later
                              WHERE later.tenant = activations.tenant AND later.name = activations.name);

-- name: activations_of
SELECT position, hash, at, actor FROM activations WHERE tenant = :tenant AND name = :name ORDER BY position DESC LIMIT :most;
