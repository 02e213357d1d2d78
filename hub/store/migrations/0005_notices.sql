-- Who is told what is wrong, and who wants to hear no more.

-- What the world was told of an exception: nothing yet, that it is open, that it is closed.
ALTER TABLE exceptions ADD COLUMN told TEXT NOT NULL DEFAULT '';
UPDATE exceptions SET told = 'closed' WHERE state = 'closed';
CREATE INDEX exceptions_untold ON exceptions (position) WHERE told = '' OR (state = 'closed' AND told = 'opened');

-- What each alert has still to say of an exception (pending), or has said (told). `escalate_at` 0: never.
CREATE TABLE alarms (
    alert TEXT NOT NULL,
    exception TEXT NOT NULL,
    tenant TEXT NOT NULL,
    status TEXT NOT NULL,
    since BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    escalate_at BIGINT NOT NULL,
    PRIMARY KEY (alert, exception)
) :clustered;
CREATE INDEX alarms_pending ON alarms (due_at, alert) WHERE status <> 'told';
CREATE INDEX alarms_overdue ON alarms (escalate_at) WHERE status = 'told' AND escalate_at > 0;
CREATE INDEX alarms_exception ON alarms (exception);

-- An alert's turn: which process speaks for it, what it said in the last minute, when it may try again.
CREATE TABLE alarm_turns (
    alert TEXT PRIMARY KEY,
    claim TEXT NOT NULL,
    claimed_until BIGINT NOT NULL,
    recent TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    retry_at BIGINT NOT NULL
) :clustered;

-- Who wants to hear no more, under the keyed hash of the address.
CREATE TABLE optouts (
    tenant TEXT NOT NULL,
    hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (tenant, hash)
) :clustered;
