-- +goose Up
ALTER TABLE instances ADD COLUMN maintenance TEXT NOT NULL DEFAULT '';
ALTER TABLE operations ADD COLUMN plan TEXT NOT NULL DEFAULT '';
ALTER TABLE operations ADD COLUMN params TEXT NOT NULL DEFAULT '';
ALTER TABLE operations ADD COLUMN maintenance TEXT NOT NULL DEFAULT '';
ALTER TABLE operations ADD COLUMN definite BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bindings ADD COLUMN predecessor TEXT NOT NULL DEFAULT '';
ALTER TABLE bindings ADD COLUMN successor TEXT NOT NULL DEFAULT '';
-- A binding that is being replaced shares its alias with the one that replaces it.
DROP INDEX bindings_alias;
CREATE UNIQUE INDEX bindings_alias ON bindings (app, alias) WHERE app <> '' AND state <> 'gone' AND successor = '';
CREATE INDEX bindings_predecessor ON bindings (predecessor) WHERE predecessor <> '';
-- +goose Down
DROP INDEX bindings_predecessor;
DROP INDEX bindings_alias;
-- Two bindings may share an alias by now: the one that was replaced loses it.
UPDATE bindings SET alias = alias || '_' || id WHERE successor <> '';
CREATE UNIQUE INDEX bindings_alias ON bindings (app, alias) WHERE app <> '' AND state <> 'gone';
ALTER TABLE bindings DROP COLUMN successor;
ALTER TABLE bindings DROP COLUMN predecessor;
ALTER TABLE operations DROP COLUMN definite;
ALTER TABLE operations DROP COLUMN maintenance;
ALTER TABLE operations DROP COLUMN params;
ALTER TABLE operations DROP COLUMN plan;
ALTER TABLE instances DROP COLUMN maintenance;
