-- +goose Up
-- Which plans an instance had is asked when a platform deletes it: of all operations only its updates are looked at.
CREATE INDEX operations_updates ON operations (instance) WHERE verb = 'update';
-- +goose Down
DROP INDEX operations_updates;
