-- How a target has fared: since when it has done nothing but fail, when that was seen last, when it last took
-- something, and when it was told that it fails (0 for never).

CREATE TABLE health (
    target TEXT NOT NULL PRIMARY KEY,
    first_failed_at BIGINT NOT NULL,
    last_failed_at BIGINT NOT NULL,
    last_success_at BIGINT NOT NULL,
    told_at BIGINT NOT NULL
);
CREATE INDEX health_failing ON health (target) WHERE first_failed_at > 0 OR told_at > 0;

CREATE INDEX attempts_target ON attempts (target, at, delivery);
