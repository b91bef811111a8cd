-- The queue's number out of the Routed, for the service level of each queue.
ALTER TABLE conversations ADD COLUMN queue BIGINT GENERATED ALWAYS AS (json_extract(routing, '$.queue')) VIRTUAL;

-- Which messages of a conversation did not arrive.
CREATE INDEX deliveries_not_arrived ON deliveries (conversation, seq) WHERE state IN ('dead', 'discarded') AND seq IS NOT NULL;
