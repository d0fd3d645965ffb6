-- +goose Up
-- How providers that only one node may call are, as that node last said it. said_at: wall time by the store's clock.
CREATE TABLE provider_reports (provider TEXT PRIMARY KEY, node TEXT NOT NULL, status TEXT NOT NULL, why TEXT NOT NULL, said_at BIGINT NOT NULL);
-- +goose Down
DROP TABLE provider_reports;
