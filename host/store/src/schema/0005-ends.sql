-- Version 5: an end is noted where its reservation stands, and goes into the history and the sums in
-- batches: most of the cost of a settlement was the pages that it touched. See the module `ledger`.

-- Open reservations, and those that ended since the last batch. Ids are never used twice: whatever
-- leaves here is in `spend`. What checks and sums read comes first.
CREATE TABLE request (
    id                INTEGER PRIMARY KEY,
    agent             TEXT    NOT NULL,
    task              TEXT    NOT NULL CHECK (task <> ''),
    at                INTEGER NOT NULL,
    amount            INTEGER NOT NULL CHECK (amount >= 0),
    cost              INTEGER CHECK (cost >= 0),
    owner             TEXT    NOT NULL,
    session           TEXT,
    turn              TEXT,
    requested_model   TEXT    NOT NULL,
    model             TEXT    NOT NULL,
    price_input       INTEGER NOT NULL,
    price_cached      INTEGER NOT NULL,
    price_cache_write INTEGER NOT NULL,
    price_output      INTEGER NOT NULL,
    served_model      TEXT,
    input             INTEGER,
    cached            INTEGER,
    cache_written     INTEGER,
    output            INTEGER,
    reasoning         INTEGER,
    ending            TEXT    CHECK (ending IN ('settled', 'released', 'recovered')),
    settled_at        INTEGER,
    -- All of an end or nothing of it.
    CHECK ((ending IS NULL) = (cost IS NULL) AND (ending IS NULL) = (settled_at IS NULL)
           AND (ending IS NULL) = (input + cached + cache_written + output + reasoning IS NULL))
) STRICT;
INSERT INTO request (id, agent, task, at, amount, owner, session, turn, requested_model, model,
                     price_input, price_cached, price_cache_write, price_output)
SELECT id, agent, task, at, amount, owner, session, turn, requested_model, model,
       price_input, price_cached, price_cache_write, price_output
FROM reservation;
DROP TABLE reservation;
ALTER TABLE request RENAME TO reservation;

CREATE TRIGGER end_never_changes BEFORE UPDATE ON reservation WHEN old.ending IS NOT NULL BEGIN
    SELECT RAISE (ABORT, 'the end of a reservation is final');
END;
CREATE TRIGGER reservation_never_goes BEFORE DELETE ON reservation
    WHEN NOT EXISTS (SELECT 1 FROM spend WHERE id = old.id)
BEGIN
    SELECT RAISE (ABORT, 'a reservation ends in the history');
END;

-- The whole history.
CREATE VIEW history AS
SELECT id, agent, session, turn, task, requested_model, model, served_model,
       input, cached, cache_written, output, reasoning,
       price_input, price_cached, price_cache_write, price_output,
       reserved, cost, overshoot, ending, reserved_at, settled_at
FROM spend
UNION ALL
SELECT id, agent, session, turn, task, requested_model, model, served_model,
       input, cached, cache_written, output, reasoning,
       price_input, price_cached, price_cache_write, price_output,
       amount, cost, max(cost - amount, 0), ending, at, settled_at
FROM reservation WHERE ending IS NOT NULL;

-- Running sums of `spend`, written in the same transactions: for everything and for an agent by
-- quarter of an hour, by day and for all time; for an agent's part of a task for all time.
CREATE TABLE settled_sum (
    agent   TEXT    NOT NULL,              -- empty: all agents
    task    TEXT    NOT NULL,              -- empty: all tasks
    step    INTEGER NOT NULL,              -- width in milliseconds: 900,000; 86,400,000; 0: all time
    bucket  INTEGER NOT NULL,              -- counts them from the epoch, by the reservation's time
    settled INTEGER NOT NULL CHECK (settled >= 0),
    -- By task first: all agents' parts of one task are one range.
    PRIMARY KEY (task, agent, step, bucket)
) STRICT, WITHOUT ROWID;
INSERT INTO settled_sum
SELECT agent, task, step, bucket, settled FROM spend_sum
WHERE task = '' OR (agent <> '' AND step = 0);
DROP TABLE spend_sum;
