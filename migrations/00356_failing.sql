-- +goose Up
ALTER TABLE operations ADD COLUMN failing_since BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE operations DROP COLUMN failing_since;
