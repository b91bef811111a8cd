-- The numbers by which routing knows the deployment's queues and skills. A name keeps its number for ever.
CREATE TABLE queues (
    name   TEXT PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE
);
CREATE TABLE skills (
    name   TEXT PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE
);
-- Where a conversation waits and what it asks for, as decided when it began or was handed over: a Routed.
ALTER TABLE conversations ADD COLUMN routing TEXT;
