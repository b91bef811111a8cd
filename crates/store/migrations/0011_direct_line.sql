-- Files that customers have sent. They belong to their conversation, and to the thread whose page may see them.
CREATE TABLE files (
    id           TEXT PRIMARY KEY,
    thread       TEXT NOT NULL REFERENCES threads (id),
    conversation TEXT NOT NULL REFERENCES conversations (id),
    name         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    size         BIGINT NOT NULL,
    content      BLOB NOT NULL,
    at           BIGINT NOT NULL
);
CREATE INDEX files_thread ON files (thread);

-- The pages that may use a token, where its maker has named some.
ALTER TABLE thread_tokens ADD COLUMN trusted_origins TEXT NOT NULL DEFAULT '[]';

-- The bot that has a conversation until a person shall have it: its connector's name.
ALTER TABLE conversations ADD COLUMN bot TEXT;

-- How far a bot in front of the web chat has been told and heard. Its token is nowhere: a new one is asked for.
CREATE TABLE bot_talks (
    conversation TEXT PRIMARY KEY REFERENCES conversations (id),
    thread       TEXT NOT NULL REFERENCES threads (id),
    connector    TEXT NOT NULL,
    external     TEXT,
    watermark    TEXT,
    told_seq     BIGINT NOT NULL,
    over         BIGINT NOT NULL,
    begun_at     BIGINT NOT NULL
);
CREATE INDEX bot_talks_running ON bot_talks (begun_at) WHERE over = 0;
