-- What one connector has to send, the longest due first: a platform that takes nothing is not looked through for another's.
CREATE INDEX deliveries_due ON deliveries (connector, due_at, number) WHERE state = 'waiting';
