-- +goose Up
CREATE TABLE calendar (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  due BIGINT NOT NULL,
  PRIMARY KEY (kind, key)
);
CREATE INDEX calendar_due ON calendar (due);
CREATE TABLE market_clock (
  one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
  ahead BIGINT NOT NULL
);
-- +goose Down
DROP TABLE market_clock;
DROP TABLE calendar;
