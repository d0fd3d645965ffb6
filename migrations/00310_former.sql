-- +goose Up
-- The plan that an update leaves: a platform may name it in a delete when it never heard that the update succeeded.
ALTER TABLE operations ADD COLUMN former TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE operations DROP COLUMN former;
