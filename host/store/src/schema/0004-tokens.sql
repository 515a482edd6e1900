-- Version 4: who may use the endpoint. See the module `token`.

-- A token is shown once, when it is minted; only its digest is kept.
CREATE TABLE token (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    agent   TEXT    NOT NULL,
    name    TEXT    NOT NULL,             -- the user's, to tell it from others
    digest  BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    minted  INTEGER NOT NULL,
    revoked INTEGER                       -- NULL while it is good
) STRICT;
