-- Version 1. A committed version is never edited: a change is a new file after this one.
--
-- Times are milliseconds since the Unix epoch, money is nano-dollars, ids are never used twice
-- (AUTOINCREMENT). Where an agent or a task may be "any", the empty string stands for it: no agent
-- and no task has an empty name.

CREATE TABLE note (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    agent   TEXT    NOT NULL,
    text    TEXT    NOT NULL,
    tags    TEXT    NOT NULL,             -- a JSON array of strings
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX note_agent ON note (agent);

-- The full-text index over `note`; the triggers keep the two in step. A prefix index of two and
-- three characters serves the prefix matches of short words.
CREATE VIRTUAL TABLE note_text USING fts5 (
    text, tags,
    content = 'note', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2',
    prefix = '2 3'
);
CREATE TRIGGER note_added AFTER INSERT ON note BEGIN
    INSERT INTO note_text (rowid, text, tags) VALUES (new.id, new.text, new.tags);
END;
CREATE TRIGGER note_removed AFTER DELETE ON note BEGIN
    INSERT INTO note_text (note_text, rowid, text, tags)
    VALUES ('delete', old.id, old.text, old.tags);
END;

CREATE TABLE task (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    agent   TEXT    NOT NULL,
    title   TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    status  TEXT    NOT NULL
            CHECK (status IN ('open', 'active', 'blocked', 'done', 'failed', 'cancelled')),
    -- A parent is older than its children and is set once: that is why there are no cycles.
    parent  INTEGER REFERENCES task (id) CHECK (parent < id),
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;
CREATE INDEX task_agent ON task (agent, status);

CREATE TABLE log (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    agent   TEXT    NOT NULL,
    -- Counts the agent's lines, so that the oldest one to drop is found without counting.
    seq     INTEGER NOT NULL,
    session TEXT,
    level   INTEGER NOT NULL CHECK (level BETWEEN 0 AND 4),
    message TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    UNIQUE (agent, seq)
) STRICT;

CREATE TABLE session (
    id      TEXT    PRIMARY KEY,
    agent   TEXT    NOT NULL,
    harness TEXT    NOT NULL,
    digest  TEXT,
    model   TEXT    NOT NULL,
    title   TEXT,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;
CREATE INDEX session_updated ON session (updated);

CREATE TABLE turn (
    id            TEXT    PRIMARY KEY,
    session       TEXT    NOT NULL REFERENCES session (id),
    seq           INTEGER NOT NULL,
    started       INTEGER NOT NULL,
    ended         INTEGER,
    -- How it ended: one of `stop` and `failure` once `ended` is set.
    stop          TEXT,
    failure       TEXT,
    models        TEXT    NOT NULL DEFAULT '[]',  -- a JSON array of strings
    input         INTEGER NOT NULL DEFAULT 0,
    cached        INTEGER NOT NULL DEFAULT 0,
    cache_written INTEGER NOT NULL DEFAULT 0,
    output        INTEGER NOT NULL DEFAULT 0,
    reasoning     INTEGER NOT NULL DEFAULT 0,
    cost          INTEGER NOT NULL DEFAULT 0,
    UNIQUE (session, seq),
    CHECK ((ended IS NULL) = (stop IS NULL AND failure IS NULL))
) STRICT;

CREATE TABLE message (
    id    INTEGER PRIMARY KEY,
    turn  TEXT    NOT NULL REFERENCES turn (id),
    role  TEXT    NOT NULL CHECK (role IN ('user', 'assistant')),
    parts TEXT    NOT NULL                -- a JSON array of content parts
) STRICT;
CREATE INDEX message_turn ON message (turn);

-- The ledger. See the module `ledger`.

CREATE TABLE cap (
    agent       TEXT    NOT NULL,         -- empty: all agents
    scope       TEXT    NOT NULL CHECK (scope IN ('system', 'agent', 'task')),
    window      TEXT    NOT NULL CHECK (window IN ('task', 'daily', 'weekly', 'monthly', 'total')),
    amount      INTEGER NOT NULL CHECK (amount >= 0),
    on_exceeded TEXT    NOT NULL CHECK (on_exceeded IN ('degrade', 'pause', 'stop', 'alert')),
    warn        TEXT    NOT NULL,         -- a JSON array of percentages
    fallback    TEXT,
    zone        TEXT    NOT NULL,         -- an IANA name
    updated     INTEGER NOT NULL,
    PRIMARY KEY (agent, scope, window),
    CHECK ((agent = '') = (scope = 'system'))
) STRICT, WITHOUT ROWID;

CREATE TABLE reservation (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    owner             TEXT    NOT NULL,
    agent             TEXT    NOT NULL,
    session           TEXT,
    turn              TEXT,
    task              TEXT    NOT NULL CHECK (task <> ''),
    requested_model   TEXT    NOT NULL,
    model             TEXT    NOT NULL,
    price_input       INTEGER NOT NULL,
    price_cached      INTEGER NOT NULL,
    price_cache_write INTEGER NOT NULL,
    price_output      INTEGER NOT NULL,
    amount            INTEGER NOT NULL CHECK (amount >= 0),
    at                INTEGER NOT NULL
) STRICT;
CREATE INDEX reservation_owner ON reservation (owner);

CREATE TABLE spend (
    id                INTEGER PRIMARY KEY, -- the reservation's
    agent             TEXT    NOT NULL,
    session           TEXT,
    turn              TEXT,
    task              TEXT    NOT NULL,
    requested_model   TEXT    NOT NULL,
    model             TEXT    NOT NULL,    -- the one that was routed to and priced
    served_model      TEXT,                -- the one that the provider says it served, if it did
    input             INTEGER NOT NULL,
    cached            INTEGER NOT NULL,
    cache_written     INTEGER NOT NULL,
    output            INTEGER NOT NULL,
    reasoning         INTEGER NOT NULL,
    price_input       INTEGER NOT NULL,
    price_cached      INTEGER NOT NULL,
    price_cache_write INTEGER NOT NULL,
    price_output      INTEGER NOT NULL,
    reserved          INTEGER NOT NULL,
    cost              INTEGER NOT NULL CHECK (cost >= 0),
    overshoot         INTEGER NOT NULL CHECK (overshoot = max(cost - reserved, 0)),
    ending            TEXT    NOT NULL CHECK (ending IN ('settled', 'released', 'recovered')),
    reserved_at       INTEGER NOT NULL,    -- decides the windows it counts in
    settled_at        INTEGER NOT NULL
) STRICT;
CREATE INDEX spend_agent   ON spend (agent);
CREATE INDEX spend_task    ON spend (task);
CREATE INDEX spend_session ON spend (session) WHERE session IS NOT NULL;
CREATE INDEX spend_turn    ON spend (turn) WHERE turn IS NOT NULL;
CREATE TRIGGER spend_never_changes BEFORE UPDATE ON spend BEGIN
    SELECT RAISE (ABORT, 'spend is append-only');
END;
CREATE TRIGGER spend_never_goes BEFORE DELETE ON spend BEGIN
    SELECT RAISE (ABORT, 'spend is append-only');
END;

-- Running sums of `reservation` and `spend`, written in the same transactions. `step` is the width
-- of a bucket in milliseconds: a quarter of an hour (900,000), a day (86,400,000), or 0 for all
-- time; `bucket` counts them from the epoch by the time of the reservation.
CREATE TABLE spend_sum (
    agent    TEXT    NOT NULL,             -- empty: all agents
    task     TEXT    NOT NULL,             -- empty: all tasks
    step     INTEGER NOT NULL,
    bucket   INTEGER NOT NULL,
    settled  INTEGER NOT NULL CHECK (settled >= 0),
    reserved INTEGER NOT NULL CHECK (reserved >= 0),
    PRIMARY KEY (agent, task, step, bucket)
) STRICT, WITHOUT ROWID;
