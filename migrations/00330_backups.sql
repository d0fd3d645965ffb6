-- +goose Up
-- A copy of an instance's data in the vault, sealed with a key of its own. It outlives its instance. Times are market time.
CREATE TABLE backups (
    id TEXT PRIMARY KEY, instance TEXT NOT NULL, instance_name TEXT NOT NULL, org TEXT NOT NULL, project TEXT NOT NULL,
    kind TEXT NOT NULL, provider TEXT NOT NULL, offering TEXT NOT NULL, plan TEXT NOT NULL,
    state TEXT NOT NULL, note TEXT NOT NULL DEFAULT '', bytes BIGINT NOT NULL DEFAULT 0, counts TEXT NOT NULL DEFAULT '', stream_key TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0, created_at BIGINT NOT NULL, ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX backups_project ON backups (project, created_at);
CREATE INDEX backups_instance ON backups (instance, created_at);
-- What a new instance is filled with before it is ready (backup/ID, or instance/ID for a move), and how far that is.
ALTER TABLE operations ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE operations ADD COLUMN phase TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE operations DROP COLUMN phase;
ALTER TABLE operations DROP COLUMN source;
DROP TABLE backups;
