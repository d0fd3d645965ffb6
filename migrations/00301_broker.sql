-- +goose Up
CREATE TABLE shelves (
  provider TEXT NOT NULL PRIMARY KEY,
  doc TEXT NOT NULL
);
CREATE TABLE offerings (
  id TEXT NOT NULL PRIMARY KEY,
  doc TEXT NOT NULL
);
CREATE TABLE plans (
  id TEXT NOT NULL PRIMARY KEY,
  offering TEXT NOT NULL,
  doc TEXT NOT NULL
);
CREATE TABLE instances (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  org TEXT NOT NULL,
  project TEXT NOT NULL,
  app TEXT NOT NULL DEFAULT '',
  offering TEXT NOT NULL,
  offering_id TEXT NOT NULL,
  plan TEXT NOT NULL,
  plan_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  provider TEXT NOT NULL,
  region TEXT NOT NULL,
  state TEXT NOT NULL,
  health TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  params TEXT NOT NULL DEFAULT '',
  driver_state TEXT NOT NULL DEFAULT '',
  platform TEXT NOT NULL DEFAULT '',
  platform_instance TEXT NOT NULL DEFAULT '',
  dashboard_url TEXT NOT NULL DEFAULT '',
  operation TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  ready_at BIGINT NOT NULL DEFAULT 0,
  stopped_at BIGINT NOT NULL DEFAULT 0,
  gone_at BIGINT NOT NULL DEFAULT 0,
  rev BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX instances_name ON instances (project, name) WHERE state <> 'gone';
CREATE UNIQUE INDEX instances_platform_live ON instances (platform, platform_instance) WHERE platform <> '' AND state <> 'gone';
CREATE INDEX instances_platform ON instances (platform, platform_instance) WHERE platform <> '';
CREATE INDEX instances_org ON instances (org, project) WHERE state <> 'gone';
CREATE INDEX instances_plan ON instances (plan_id) WHERE state <> 'gone';
CREATE TABLE bindings (
  id TEXT NOT NULL PRIMARY KEY,
  instance TEXT NOT NULL REFERENCES instances (id),
  org TEXT NOT NULL,
  project TEXT NOT NULL,
  app TEXT NOT NULL DEFAULT '',
  app_name TEXT NOT NULL DEFAULT '',
  alias TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL,
  note TEXT NOT NULL DEFAULT '',
  params TEXT NOT NULL DEFAULT '',
  seed TEXT NOT NULL DEFAULT '',
  driver_state TEXT NOT NULL DEFAULT '',
  credentials TEXT NOT NULL DEFAULT '',
  platform TEXT NOT NULL DEFAULT '',
  platform_binding TEXT NOT NULL DEFAULT '',
  operation TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL DEFAULT 0,
  gone_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX bindings_alias ON bindings (app, alias) WHERE app <> '' AND state <> 'gone';
CREATE UNIQUE INDEX bindings_platform_live ON bindings (instance, platform_binding) WHERE platform_binding <> '' AND state <> 'gone';
CREATE INDEX bindings_instance ON bindings (instance);
CREATE INDEX bindings_project ON bindings (project) WHERE state <> 'gone';
CREATE TABLE operations (
  id TEXT NOT NULL PRIMARY KEY,
  instance TEXT NOT NULL REFERENCES instances (id),
  binding TEXT NOT NULL DEFAULT '',
  verb TEXT NOT NULL,
  state TEXT NOT NULL,
  live BIGINT NOT NULL DEFAULT 1,
  note TEXT NOT NULL DEFAULT '',
  attempts BIGINT NOT NULL DEFAULT 0,
  failures BIGINT NOT NULL DEFAULT 0,
  next_at BIGINT NOT NULL DEFAULT 0,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX operations_live ON operations (instance) WHERE live = 1;
CREATE INDEX operations_started ON operations (started_at);
CREATE TABLE readings (
  instance TEXT NOT NULL REFERENCES instances (id),
  metric TEXT NOT NULL,
  epoch TEXT NOT NULL DEFAULT '',
  value TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (instance, metric)
);
-- +goose Down
DROP TABLE readings;
DROP TABLE operations;
DROP TABLE bindings;
DROP TABLE instances;
DROP TABLE plans;
DROP TABLE offerings;
DROP TABLE shelves;
