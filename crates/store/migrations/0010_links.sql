-- Where a conversation comes from. `previous` is one of ours; `previous_unknown` is a name that nobody here knows.
ALTER TABLE conversations ADD COLUMN previous TEXT;
ALTER TABLE conversations ADD COLUMN previous_unknown TEXT;
ALTER TABLE conversations ADD COLUMN previous_verified BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN came_by TEXT;
ALTER TABLE conversations ADD COLUMN trusted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN asked_for TEXT;
ALTER TABLE conversations ADD COLUMN hidden_variables TEXT NOT NULL DEFAULT '[]';
CREATE INDEX conversations_previous ON conversations (previous) WHERE previous IS NOT NULL;

-- What the page says to every conversation of a thread, and the agent is not shown.
ALTER TABLE threads ADD COLUMN hidden_variables TEXT NOT NULL DEFAULT '[]';

-- What others call a conversation of ours. The same name may have several: the newest counts.
CREATE TABLE aliases (
    kind         TEXT NOT NULL,
    value        TEXT NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id),
    PRIMARY KEY (kind, value, conversation)
);
CREATE INDEX aliases_value ON aliases (value);

-- Links into the web chat. The code stands as it is: the link is in the conversation's messages anyway.
CREATE TABLE chat_links (
    code         TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations (id),
    client_id    TEXT NOT NULL,
    agent        TEXT NOT NULL REFERENCES accounts (id),
    shape        TEXT NOT NULL,
    url          TEXT NOT NULL,
    video        BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    UNIQUE (conversation, client_id)
);

-- Which thread a browser got when it opened a link: opened again it goes on there.
CREATE TABLE link_openings (
    link    TEXT NOT NULL,
    browser TEXT NOT NULL,
    thread  TEXT NOT NULL REFERENCES threads (id),
    PRIMARY KEY (link, browser)
);

-- The server's own keys, made at the first start.
CREATE TABLE server_keys (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
