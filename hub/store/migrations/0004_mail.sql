-- Mail: the keys by which a letter is known again, what became of each, and the letters we sent, which replies name.

CREATE TABLE mail_keys (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    key TEXT NOT NULL,
    message TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, connection, key)
) :clustered;

-- `sender` is a keyed hash, or a partner's id: no address stands here.
CREATE TABLE mails (
    message TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    sender TEXT NOT NULL,
    outcome TEXT NOT NULL,
    order_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    doc :blob NOT NULL
);
CREATE INDEX mails_sender ON mails (tenant, sender, at);

CREATE TABLE mails_sent (
    tenant TEXT NOT NULL,
    message_id TEXT NOT NULL,
    id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, message_id)
) :clustered;

CREATE INDEX messages_mail ON messages (position) WHERE status = 'received' AND transport = 'email';
