-- Version 2: what users allowed once and for longer, and who decided what. See the module
-- `approval`.

-- What need not be asked again. `session` is empty when it holds for the agent for good.
CREATE TABLE approval (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    agent   TEXT    NOT NULL,
    session TEXT    NOT NULL,
    kind    TEXT    NOT NULL
            CHECK (kind IN ('verb', 'tool', 'command', 'path(read)', 'path(write)', 'host', 'permit')),
    subject TEXT    NOT NULL,             -- exact, never a pattern
    by      TEXT    NOT NULL,             -- who allowed it
    at      INTEGER NOT NULL,
    UNIQUE (agent, session, kind, subject)
) STRICT;

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    agent   TEXT    NOT NULL,
    session TEXT    NOT NULL,
    turn    TEXT,
    kind    TEXT    NOT NULL
            CHECK (kind IN ('verb', 'tool', 'command', 'path(read)', 'path(write)', 'host', 'permit')),
    subject TEXT    NOT NULL,             -- cut when it is long
    verdict TEXT    NOT NULL CHECK (verdict IN ('allowed', 'denied')),
    by      TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_agent ON audit (agent);
CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit BEGIN
    SELECT RAISE (ABORT, 'audit is append-only');
END;
CREATE TRIGGER audit_never_goes BEFORE DELETE ON audit BEGIN
    SELECT RAISE (ABORT, 'audit is append-only');
END;
