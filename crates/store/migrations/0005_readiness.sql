-- Self-tests as the desks have sent them; the last 30 of an agent are kept.
CREATE TABLE readiness_reports (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    account     TEXT NOT NULL REFERENCES accounts (id),
    desk        TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    report      TEXT NOT NULL
);
CREATE INDEX readiness_reports_account ON readiness_reports (account, number);

-- What an agent's desk may be offered. Agents may have several desks; the one that was there last counts.
CREATE TABLE readiness_leases (
    account   TEXT NOT NULL REFERENCES accounts (id),
    desk      TEXT NOT NULL,
    state     TEXT NOT NULL,
    due_at    BIGINT,
    seen_at   BIGINT NOT NULL,
    path      TEXT NOT NULL,
    PRIMARY KEY (account, desk)
);
-- For the timer: the next lease that changes by itself.
CREATE INDEX readiness_leases_due ON readiness_leases (due_at) WHERE due_at IS NOT NULL;
