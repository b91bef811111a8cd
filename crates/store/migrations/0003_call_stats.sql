-- What each call was like, every 15 s.
CREATE TABLE call_moments (
    escalation TEXT NOT NULL REFERENCES escalations (id),
    at         BIGINT NOT NULL,
    moment     TEXT NOT NULL,
    PRIMARY KEY (escalation, at)
);
