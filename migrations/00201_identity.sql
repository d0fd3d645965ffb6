-- +goose Up
CREATE TABLE orgs (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  account TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE projects (
  id TEXT NOT NULL PRIMARY KEY,
  org TEXT NOT NULL REFERENCES orgs (id),
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (org, name)
);
CREATE TABLE apps (
  id TEXT NOT NULL PRIMARY KEY,
  org TEXT NOT NULL REFERENCES orgs (id),
  project TEXT NOT NULL REFERENCES projects (id),
  name TEXT NOT NULL,
  external TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  UNIQUE (project, name)
);
CREATE UNIQUE INDEX apps_external ON apps (project, external) WHERE external <> '';
CREATE TABLE humans (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  operator BIGINT NOT NULL DEFAULT 0,
  password TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);
CREATE TABLE human_links (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  human TEXT NOT NULL REFERENCES humans (id),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX human_links_human ON human_links (human);
CREATE TABLE members (
  human TEXT NOT NULL REFERENCES humans (id),
  org TEXT NOT NULL REFERENCES orgs (id),
  project TEXT NOT NULL DEFAULT '',
  role TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (human, org, project)
);
CREATE INDEX members_org ON members (org);
CREATE TABLE tokens (
  id TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  owner TEXT NOT NULL REFERENCES humans (id),
  actions TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  last_used BIGINT NOT NULL DEFAULT 0,
  expires_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX tokens_owner ON tokens (owner);
CREATE TABLE platforms (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  org TEXT NOT NULL REFERENCES orgs (id),
  project TEXT NOT NULL REFERENCES projects (id),
  hash TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE provider_keys (
  provider TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
);
CREATE TABLE identity_marks (
  name TEXT NOT NULL PRIMARY KEY,
  created_at BIGINT NOT NULL
);
-- +goose Down
DROP TABLE identity_marks;
DROP TABLE provider_keys;
DROP TABLE platforms;
DROP TABLE tokens;
DROP TABLE members;
DROP TABLE human_links;
DROP TABLE humans;
DROP TABLE apps;
DROP TABLE projects;
DROP TABLE orgs;
