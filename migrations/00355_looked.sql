-- +goose Up
-- When a meter was looked at, wall time in microseconds: of two readings that are recorded in the other order the older one counts nothing.
ALTER TABLE readings ADD COLUMN looked BIGINT NOT NULL DEFAULT 0;
-- +goose Down
ALTER TABLE readings DROP COLUMN looked;
