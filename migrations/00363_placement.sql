-- +goose Up
-- Why this provider and plan were chosen for an instance, for people; empty where they were named by id.
ALTER TABLE instances ADD COLUMN placement TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE instances DROP COLUMN placement;
