-- What stood between a session's harness and the host when it was opened last: `name@digest` of each
-- middleware, the nearest to the harness first, with spaces between.
ALTER TABLE session ADD COLUMN middleware TEXT NOT NULL DEFAULT '';
