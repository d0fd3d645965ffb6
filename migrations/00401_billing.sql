-- +goose Up
-- Who pays. closed_to is the end of the last closed period: nothing before it may change any more.
CREATE TABLE accounts (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  currency TEXT NOT NULL,
  closed_to BIGINT NOT NULL DEFAULT 0,
  customer TEXT NOT NULL DEFAULT '', -- the collector's name for it
  created_at BIGINT NOT NULL
);
CREATE TABLE account_orgs (
  org TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id)
);
CREATE INDEX account_orgs_account ON account_orgs (account);

-- The price book. Rows are never changed. Currency '' is the plan itself: its metrics, and in sold the currencies it has a price in.
CREATE TABLE prices (
  plan TEXT NOT NULL,
  currency TEXT NOT NULL,
  version BIGINT NOT NULL,
  valid_from BIGINT NOT NULL,
  metrics TEXT NOT NULL,
  rates TEXT NOT NULL,
  sold TEXT NOT NULL,
  PRIMARY KEY (plan, currency, version)
);

-- What ran when, for whom, under which plan. ended_at 0: still running.
CREATE TABLE intervals (
  id TEXT NOT NULL PRIMARY KEY,
  instance TEXT NOT NULL,
  account TEXT NOT NULL REFERENCES accounts (id),
  org TEXT NOT NULL,
  project TEXT NOT NULL,
  app TEXT NOT NULL,
  provider TEXT NOT NULL,
  plan TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX intervals_open ON intervals (instance) WHERE ended_at = 0;
CREATE INDEX intervals_instance ON intervals (instance, started_at);
CREATE INDEX intervals_account ON intervals (account, started_at);
CREATE TABLE suspensions (
  instance TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (instance, started_at)
);
CREATE UNIQUE INDEX suspensions_open ON suspensions (instance) WHERE ended_at = 0;

-- What was reported, once.
CREATE TABLE usage_events (
  sender TEXT NOT NULL,
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  hash TEXT NOT NULL,
  account TEXT NOT NULL REFERENCES accounts (id),
  instance TEXT NOT NULL,
  metric TEXT NOT NULL,
  at BIGINT NOT NULL,
  value TEXT NOT NULL,
  dimensions TEXT NOT NULL,
  late BIGINT NOT NULL, -- 1: came after its period was closed
  stored_at BIGINT NOT NULL,
  PRIMARY KEY (sender, source, id)
);
CREATE INDEX usage_events_account ON usage_events (account, at);

-- One row per seller series: its last number and the head of its chain. Locked while an invoice is made, so numbers have no gaps.
CREATE TABLE invoice_series (
  name TEXT NOT NULL PRIMARY KEY,
  year BIGINT NOT NULL,
  number BIGINT NOT NULL,
  position BIGINT NOT NULL,
  head TEXT NOT NULL
);
CREATE TABLE invoices (
  number TEXT NOT NULL PRIMARY KEY,
  series TEXT NOT NULL,
  position BIGINT NOT NULL,
  account TEXT NOT NULL REFERENCES accounts (id),
  period_from BIGINT NOT NULL,
  period_to BIGINT NOT NULL,
  currency TEXT NOT NULL,
  state TEXT NOT NULL,
  total BIGINT NOT NULL,
  issued_at BIGINT NOT NULL,
  document TEXT NOT NULL, -- the canonical form, byte for byte what was hashed and signed
  hash TEXT NOT NULL,
  previous TEXT NOT NULL,
  key_id TEXT NOT NULL,
  signature TEXT NOT NULL
);
CREATE UNIQUE INDEX invoices_once ON invoices (account, period_from);
CREATE UNIQUE INDEX invoices_chain ON invoices (series, position);
CREATE TABLE invoice_lines (
  invoice TEXT NOT NULL REFERENCES invoices (number),
  n BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  line TEXT NOT NULL,
  PRIMARY KEY (invoice, n)
);

-- The double-entry journal: debits above zero, credits below; the entries of one posting come to zero.
CREATE TABLE journal (
  posting TEXT NOT NULL,
  n BIGINT NOT NULL,
  ledger TEXT NOT NULL,
  amount BIGINT NOT NULL,
  currency TEXT NOT NULL,
  posted_at BIGINT NOT NULL,
  PRIMARY KEY (posting, n)
);

-- What a collector still has to be given, and how far it got.
CREATE TABLE outbox (
  invoice TEXT NOT NULL PRIMARY KEY REFERENCES invoices (number),
  status TEXT NOT NULL, -- waiting sending sent failed
  progress TEXT NOT NULL DEFAULT '{}',
  note TEXT NOT NULL DEFAULT ''
);
-- +goose Down
DROP TABLE outbox;
DROP TABLE journal;
DROP TABLE invoice_lines;
DROP TABLE invoices;
DROP TABLE invoice_series;
DROP TABLE usage_events;
DROP TABLE suspensions;
DROP TABLE intervals;
DROP TABLE prices;
DROP TABLE account_orgs;
DROP TABLE accounts;
