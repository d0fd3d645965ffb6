-- +goose Up
-- Why an account's month could not be closed; '' when nothing stands in the way. The month is the one that closed_to begins.
ALTER TABLE accounts ADD COLUMN close_note TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE accounts DROP COLUMN close_note;
