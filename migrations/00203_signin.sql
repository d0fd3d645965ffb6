-- +goose Up
CREATE TABLE signin_flows (
  hash TEXT NOT NULL PRIMARY KEY,
  browser TEXT NOT NULL,
  issuer TEXT NOT NULL,
  return_to TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX signin_flows_expires ON signin_flows (expires_at);
CREATE TABLE web_sessions (
  hash TEXT NOT NULL PRIMARY KEY,
  data TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX web_sessions_expires ON web_sessions (expires_at);
-- +goose Down
DROP TABLE web_sessions;
DROP TABLE signin_flows;
