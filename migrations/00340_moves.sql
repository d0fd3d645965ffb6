-- +goose Up
-- A move of an instance to another provider: instance is the old one, target the new one that is filled from it. switched: names and aliases are
-- the new one's. bytes and the counts say how far the copy is and what both held. Times are market time; ended_at is 0 until it is over.
CREATE TABLE moves (
    id TEXT PRIMARY KEY, instance TEXT NOT NULL, target TEXT NOT NULL, name TEXT NOT NULL, org TEXT NOT NULL, project TEXT NOT NULL,
    source_provider TEXT NOT NULL, target_provider TEXT NOT NULL, offering TEXT NOT NULL, plan TEXT NOT NULL,
    state TEXT NOT NULL, note TEXT NOT NULL DEFAULT '', switched BIGINT NOT NULL DEFAULT 0, attempts BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0, counts_from TEXT NOT NULL DEFAULT '', counts_to TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL, ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX moves_live_instance ON moves (instance) WHERE ended_at = 0;
CREATE UNIQUE INDEX moves_live_target ON moves (target) WHERE ended_at = 0;
CREATE INDEX moves_instance ON moves (instance, created_at);
CREATE INDEX moves_target ON moves (target);
-- +goose Down
DROP TABLE moves;
