// Package database opens the store, SQLite or PostgreSQL, and carries the transaction in ctx.
//
// It owns the connections, the lock that keeps a second process off an SQLite file, and one law: Tx puts the transaction into ctx and From takes
// the handle from ctx. Outside a transaction the handle only reads. Inside one every other handle is refused, so that a second connection,
// which on SQLite would wait for itself for ever, cannot be used by mistake.
//
// It does not own the schema (internal/schema), nor any table.
package database
