-- +goose Up
-- Migrations that took something away which earlier programs still use. A program that does not know one of these refuses the store;
-- one that a newer program only widened it can serve beside that one.
CREATE TABLE contracts (
  version BIGINT NOT NULL PRIMARY KEY
);
-- +goose Down
DROP TABLE contracts;
