-- +goose Up
-- The backup by which a move's data go from one node to another; empty when one process reaches both instances.
ALTER TABLE moves ADD COLUMN backup TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE moves DROP COLUMN backup;
