-- +goose Up
-- For which organisation and space a platform ordered an instance, by its own ids: the same id for another place is another order.
ALTER TABLE instances ADD COLUMN platform_org TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN platform_space TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE instances DROP COLUMN platform_space;
ALTER TABLE instances DROP COLUMN platform_org;
