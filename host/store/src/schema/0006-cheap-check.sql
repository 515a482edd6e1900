-- Version 6: the same reservations, checked for less. For a list of three, `IN` makes a temporary index:
-- a fifth of what a reservation and its settlement cost.

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
    ending            TEXT
                      CHECK (ending = 'settled' OR ending = 'released' OR ending = 'recovered'),
    settled_at        INTEGER,
    -- All of an end or nothing of it.
    CHECK ((ending IS NULL) = (cost IS NULL) AND (ending IS NULL) = (settled_at IS NULL)
           AND (ending IS NULL) = (input + cached + cache_written + output + reasoning IS NULL))
) STRICT;
INSERT INTO request SELECT * FROM reservation;
DROP VIEW history;
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

-- The whole history, as before.
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
