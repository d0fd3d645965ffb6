-- +goose Up
ALTER TABLE operations ADD COLUMN misses BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backups ADD COLUMN counts_before TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE backups DROP COLUMN counts_before;
ALTER TABLE operations DROP COLUMN misses;
