-- +goose Up
ALTER TABLE platforms ADD COLUMN mapped BIGINT NOT NULL DEFAULT 0;
ALTER TABLE platforms ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE platforms ADD COLUMN former_until BIGINT NOT NULL DEFAULT 0;
CREATE TABLE platform_orgs (
  platform TEXT NOT NULL,
  external TEXT NOT NULL,
  org TEXT NOT NULL REFERENCES orgs (id),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (platform, external)
);
CREATE TABLE platform_projects (
  platform TEXT NOT NULL,
  external_org TEXT NOT NULL,
  external TEXT NOT NULL,
  project TEXT NOT NULL REFERENCES projects (id),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (platform, external_org, external)
);
CREATE INDEX platform_projects_project ON platform_projects (platform, project);
-- +goose Down
DROP TABLE platform_projects;
DROP TABLE platform_orgs;
ALTER TABLE platforms DROP COLUMN former_until;
ALTER TABLE platforms DROP COLUMN former;
ALTER TABLE platforms DROP COLUMN mapped;
