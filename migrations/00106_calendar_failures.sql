-- +goose Up
-- A row that fails waits for itself alone: attempt counts its failures since it last ran, retry_at (wall time, microseconds UTC) is when it is tried
-- again, note is what the last failure said.
ALTER TABLE calendar ADD COLUMN attempt BIGINT NOT NULL DEFAULT 0;
ALTER TABLE calendar ADD COLUMN retry_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE calendar ADD COLUMN note TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE calendar DROP COLUMN note;
ALTER TABLE calendar DROP COLUMN retry_at;
ALTER TABLE calendar DROP COLUMN attempt;
