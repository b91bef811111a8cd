-- Identifiers are UUID texts, times are milliseconds since the Unix epoch, sums are JSON texts: all of it
-- means the same in PostgreSQL.

CREATE TABLE accounts (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at    BIGINT NOT NULL
);

-- One family per sign-in. Tokens are stored as SHA-256 only.
CREATE TABLE session_families (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX session_families_account ON session_families (account);

CREATE TABLE refresh_tokens (
    hash       TEXT PRIMARY KEY,
    family     TEXT NOT NULL REFERENCES session_families (id),
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    successor  TEXT
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

CREATE TABLE access_tokens (
    hash       TEXT PRIMARY KEY,
    family     TEXT NOT NULL REFERENCES session_families (id),
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_tokens_expiry ON access_tokens (expires_at);

-- What a customer's page sees as one endless conversation; ours follow one another behind it.
CREATE TABLE threads (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL,
    user_name    TEXT NOT NULL,
    context      TEXT NOT NULL,
    conversation TEXT,
    last_seq     BIGINT NOT NULL,
    created_at   BIGINT NOT NULL
);

CREATE TABLE thread_tokens (
    hash       TEXT PRIMARY KEY,
    thread     TEXT NOT NULL REFERENCES threads (id),
    expires_at BIGINT NOT NULL
);
CREATE INDEX thread_tokens_expiry ON thread_tokens (expires_at);

CREATE TABLE conversations (
    number            INTEGER PRIMARY KEY AUTOINCREMENT,
    id                TEXT NOT NULL UNIQUE,
    channel           TEXT NOT NULL,
    thread            TEXT REFERENCES threads (id),
    state             TEXT NOT NULL,
    customer_name     TEXT NOT NULL,
    owner             TEXT REFERENCES accounts (id),
    opened_at         BIGINT NOT NULL,
    state_since       BIGINT NOT NULL,
    last_seq          BIGINT NOT NULL,
    delivered_seq     BIGINT NOT NULL,
    read_seq          BIGINT NOT NULL,
    last_text         TEXT NOT NULL,
    last_at           BIGINT NOT NULL,
    context           TEXT NOT NULL,
    notes             TEXT NOT NULL,
    disposition       TEXT,
    newest_escalation TEXT
);
CREATE INDEX conversations_state ON conversations (state, owner);

CREATE TABLE messages (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    seq          BIGINT NOT NULL,
    id           TEXT NOT NULL UNIQUE,
    thread       TEXT,
    thread_seq   BIGINT,
    client_scope TEXT,
    client_key   TEXT,
    author       TEXT NOT NULL,
    body         TEXT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (conversation, seq),
    UNIQUE (thread, thread_seq),
    UNIQUE (client_scope, client_key)
);

CREATE TABLE escalations (
    id           TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations (id),
    agent        TEXT NOT NULL REFERENCES accounts (id),
    command      TEXT NOT NULL UNIQUE,
    state        TEXT NOT NULL,
    over         BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    survey       TEXT
);
-- One live video per agent, whatever the code above it believes.
CREATE UNIQUE INDEX escalations_slot ON escalations (agent) WHERE over = 0;
CREATE INDEX escalations_conversation ON escalations (conversation);

-- The code stands here as it is, not hashed: the link is written into the conversation's messages anyway, the
-- desk shows it and sends it again, and it is worth nothing once the invite is bound to a browser or over.
CREATE TABLE invites (
    code         TEXT PRIMARY KEY,
    escalation   TEXT NOT NULL UNIQUE REFERENCES escalations (id),
    expires_at   BIGINT NOT NULL,
    browser_hash TEXT,
    redeemed_at  BIGINT
);

CREATE TABLE rooms (
    id                     TEXT PRIMARY KEY,
    escalation             TEXT NOT NULL UNIQUE REFERENCES escalations (id),
    agent_session          BIGINT NOT NULL,
    agent_resume           TEXT,
    agent_resume_before    TEXT,
    agent_media            TEXT NOT NULL,
    customer_session       BIGINT NOT NULL,
    customer_resume        TEXT,
    customer_resume_before TEXT,
    customer_media         TEXT NOT NULL,
    offer_negotiation      BIGINT,
    offer_sdp              TEXT,
    answer_sdp             TEXT
);

CREATE TABLE room_tokens (
    hash  TEXT PRIMARY KEY,
    room  TEXT NOT NULL REFERENCES rooms (id),
    party TEXT NOT NULL
);
CREATE INDEX room_tokens_room ON room_tokens (room);

CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    escalation TEXT NOT NULL REFERENCES escalations (id),
    created_at BIGINT NOT NULL,
    sent_at    BIGINT
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;
