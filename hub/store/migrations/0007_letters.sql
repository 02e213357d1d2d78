-- What is known of letters goes when it is old: found by its age.
CREATE INDEX mail_keys_at ON mail_keys (at);
CREATE INDEX mails_sent_at ON mails_sent (at);
