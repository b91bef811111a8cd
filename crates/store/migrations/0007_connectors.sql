-- A thread may be a platform's: which connector brought it, its own name for it, and what the agent sees as its channel.
ALTER TABLE threads ADD COLUMN connector TEXT;
ALTER TABLE threads ADD COLUMN external TEXT;
ALTER TABLE threads ADD COLUMN channel TEXT;
CREATE UNIQUE INDEX threads_external ON threads (connector, external);

-- Which hand-off from a bot a conversation comes from, and what the bot has been told of it.
ALTER TABLE conversations ADD COLUMN handoff TEXT;
-- How far the video call has come, as the platform has been told.
ALTER TABLE conversations ADD COLUMN told_video TEXT;

-- What has to reach a platform. A row is written by the transaction that decides to send. What of one thread waits goes
-- out in the order of its numbers.
CREATE TABLE deliveries (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    connector    TEXT NOT NULL,
    thread       TEXT NOT NULL REFERENCES threads (id),
    conversation TEXT NOT NULL REFERENCES conversations (id),
    seq          BIGINT,
    parcel       TEXT NOT NULL,
    state        TEXT NOT NULL,
    attempts     BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    error        TEXT,
    vendor_id    TEXT,
    created_at   BIGINT NOT NULL,
    settled_at   BIGINT
);
CREATE INDEX deliveries_waiting ON deliveries (thread, number) WHERE state = 'waiting';
CREATE INDEX deliveries_dead ON deliveries (number) WHERE state = 'dead';
CREATE INDEX deliveries_vendor ON deliveries (connector, vendor_id) WHERE vendor_id IS NOT NULL;

-- Signed requests that were carried out: somebody else's copy of one does nothing.
CREATE TABLE hook_requests (
    digest TEXT PRIMARY KEY,
    at     BIGINT NOT NULL
);
CREATE INDEX hook_requests_at ON hook_requests (at);

-- Connectors that somebody has switched; all others are on.
CREATE TABLE connector_switches (
    name  TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    at    BIGINT NOT NULL
);
