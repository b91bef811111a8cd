-- What supervisors have done in others' work. Rows are added and never touched again: each holds the hash of the one
-- before in its own, and the triggers keep our own code from mistakes (who can drop them cannot mend the hashes).
-- No foreign keys: an entry outlives what it is about.
CREATE TABLE audit (
    seq          INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    at           BIGINT NOT NULL,
    actor        TEXT NOT NULL,
    act          TEXT NOT NULL,
    conversation TEXT,
    agent        TEXT,
    escalation   TEXT,
    detail       TEXT NOT NULL,
    hash         TEXT NOT NULL
);
CREATE INDEX audit_conversation ON audit (conversation, actor, act, at);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;

-- Supervisors who have joined a conversation.
CREATE TABLE participants (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    account      TEXT NOT NULL REFERENCES accounts (id),
    since        BIGINT NOT NULL,
    PRIMARY KEY (conversation, account)
);

-- When somebody first had it, for the service level. Of older ones it is known only while they are active.
ALTER TABLE conversations ADD COLUMN answered_at BIGINT;
UPDATE conversations SET answered_at = state_since WHERE state = 'active';
CREATE INDEX conversations_opened ON conversations (opened_at);
