-- +goose Up
-- A row's own MAC, given when it is written: what waits for its link is protected too. known is how long the chain was known to be by then, under
-- the same MAC: a recorded end that is older than a row's knowledge has been put back.
ALTER TABLE audit_rows ADD COLUMN own TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_rows ADD COLUMN known BIGINT NOT NULL DEFAULT 0;
-- +goose Down
ALTER TABLE audit_rows DROP COLUMN known;
ALTER TABLE audit_rows DROP COLUMN own;
