-- A browser that connects ahead of the tap on Join; the newest one of a room counts.
CREATE TABLE warm_tokens (
    room         TEXT PRIMARY KEY REFERENCES rooms (id),
    hash         TEXT NOT NULL UNIQUE,
    browser_hash TEXT NOT NULL
);
