-- +goose Up
-- Data keys are Tink keysets wrapped by the master key; org '' is the market itself.
CREATE TABLE data_keys (
  org TEXT NOT NULL PRIMARY KEY,
  keyset TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
-- Signing (es256) and MAC (hmac) keys; the private half is sealed with the market's data key. number counts a purpose's generations.
CREATE TABLE purpose_keys (
  id TEXT NOT NULL PRIMARY KEY,
  algorithm TEXT NOT NULL,
  purpose TEXT NOT NULL,
  number BIGINT NOT NULL,
  public TEXT NOT NULL DEFAULT '',
  private TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (algorithm, purpose, number)
);
-- +goose Down
DROP TABLE purpose_keys;
DROP TABLE data_keys;
