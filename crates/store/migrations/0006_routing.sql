-- What routing knows of an agent besides the agent's conversations: what was chosen, what came of the last assignment,
-- and since when there was nothing new.
CREATE TABLE routing_agents (
    account TEXT PRIMARY KEY REFERENCES accounts (id),
    state   TEXT NOT NULL
);
