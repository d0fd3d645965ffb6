-- +goose Up
CREATE TABLE oidc_requests (
  hash TEXT NOT NULL PRIMARY KEY,
  browser TEXT NOT NULL,
  client TEXT NOT NULL,
  redirect TEXT NOT NULL,
  state TEXT NOT NULL,
  nonce TEXT NOT NULL,
  scopes TEXT NOT NULL,
  challenge TEXT NOT NULL,
  human TEXT NOT NULL DEFAULT '',
  signed_in_at BIGINT NOT NULL DEFAULT 0,
  code TEXT NOT NULL DEFAULT '',
  expires_at BIGINT NOT NULL
);
CREATE INDEX oidc_requests_code ON oidc_requests (code);
CREATE INDEX oidc_requests_expires ON oidc_requests (expires_at);
CREATE TABLE oidc_tokens (
  id TEXT NOT NULL PRIMARY KEY,
  human TEXT NOT NULL REFERENCES humans (id),
  client TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX oidc_tokens_expires ON oidc_tokens (expires_at);
-- +goose Down
DROP TABLE oidc_tokens;
DROP TABLE oidc_requests;
