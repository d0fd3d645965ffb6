-- +goose Up
CREATE TABLE audit_rows (
  id TEXT NOT NULL PRIMARY KEY,
  org TEXT NOT NULL,
  project TEXT NOT NULL,
  at BIGINT NOT NULL,
  who TEXT NOT NULL,
  via TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  detail TEXT NOT NULL,
  seq BIGINT NOT NULL DEFAULT 0,
  mac TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX audit_linked ON audit_rows (seq) WHERE seq > 0;
CREATE INDEX audit_pending ON audit_rows (at, id) WHERE seq = 0;
CREATE INDEX audit_newest ON audit_rows (at, id);
CREATE INDEX audit_of_org ON audit_rows (org, at, id);
-- The end of the chain, with a MAC of its own: rows cut off at the end are missed.
CREATE TABLE audit_tip (
  one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
  seq BIGINT NOT NULL,
  mac TEXT NOT NULL,
  proof TEXT NOT NULL
);
CREATE TABLE audit_heads (
  seq BIGINT NOT NULL PRIMARY KEY,
  mac TEXT NOT NULL,
  at BIGINT NOT NULL,
  key_id TEXT NOT NULL,
  signature TEXT NOT NULL
);
-- +goose Down
DROP TABLE audit_heads;
DROP TABLE audit_tip;
DROP TABLE audit_rows;
