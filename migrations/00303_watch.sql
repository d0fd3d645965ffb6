-- +goose Up
ALTER TABLE instances ADD COLUMN health_note TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN excess TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN excess_due BIGINT NOT NULL DEFAULT 0;
CREATE INDEX instances_provider ON instances (provider, id);
CREATE TABLE holds (
  instance TEXT NOT NULL REFERENCES instances (id),
  reason TEXT NOT NULL,
  why TEXT NOT NULL DEFAULT '',
  since BIGINT NOT NULL,
  PRIMARY KEY (instance, reason)
);
CREATE TABLE rounds (
  kind TEXT NOT NULL,
  provider TEXT NOT NULL,
  reached TEXT NOT NULL DEFAULT '',
  began_at BIGINT NOT NULL DEFAULT 0,
  ended_at BIGINT NOT NULL DEFAULT 0,
  unknown BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, provider)
);
-- +goose Down
DROP TABLE rounds;
DROP TABLE holds;
DROP INDEX instances_provider;
ALTER TABLE instances DROP COLUMN excess_due;
ALTER TABLE instances DROP COLUMN excess;
ALTER TABLE instances DROP COLUMN health_note;
