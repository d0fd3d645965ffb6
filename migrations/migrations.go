// Package migrations holds the schema as portable SQL files, applied by goose through internal/schema.
//
// Numbers are given by room, so that two changes never meet: 001xx drawers (tasks, audit, keys), 002xx identity, 003xx broker, 004xx billing.
package migrations

import "embed"

// FS holds every migration.
//
//go:embed *.sql
var FS embed.FS
