-- +goose Up
-- Providers that an operator lets take no new instances. Market time.
CREATE TABLE cordons (provider TEXT PRIMARY KEY, why TEXT NOT NULL, by_whom TEXT NOT NULL, at BIGINT NOT NULL);
-- +goose Down
DROP TABLE cordons;
