-- +goose Up
-- A running process of an app, as `sutler run` reports it. Times are wall time.
CREATE TABLE consumers (
    id TEXT PRIMARY KEY, app TEXT NOT NULL, org TEXT NOT NULL, project TEXT NOT NULL, host TEXT NOT NULL, version TEXT NOT NULL,
    started_at BIGINT NOT NULL, seen_at BIGINT NOT NULL
);
CREATE INDEX consumers_app ON consumers (app);
CREATE INDEX consumers_seen ON consumers (seen_at);
-- How far a binding's backend was from a consumer, in microseconds; a day of it is kept.
CREATE TABLE latencies (
    binding TEXT NOT NULL, at BIGINT NOT NULL, consumer TEXT NOT NULL, connect_us BIGINT NOT NULL, first_us BIGINT NOT NULL,
    PRIMARY KEY (binding, at, consumer)
);
-- +goose Down
DROP TABLE latencies;
DROP TABLE consumers;
