package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/sutlerhq/sutler/internal/fault"
)

// readOnly is PostgreSQL's word for a write that it does not take: a standby, or a database whose transactions only read.
const readOnly = "25006"

// speaker is gorm's PostgreSQL, with every error that a statement leaves with classed in one place.
type speaker struct {
	postgres.Dialector
	writes bool // its pool is the one that writes
}

func speaking(pool outer, writes bool) gorm.Dialector {
	return speaker{postgres.Dialector{Config: &postgres.Config{Conn: pool}}, writes}
}

// Translate classes an error, then lets gorm have its own words for it.
func (s speaker) Translate(err error) error { return s.Dialector.Translate(classed(err, s.writes)) }

// classed makes a store that is away fault.Unavailable: the same request, asked again later, may well be answered. gorm hands on what ends a raw
// query without translating it, so the pools call this too.
func classed(err error, writes bool) error {
	if away(err) || writes && coded(err, readOnly) && !errors.Is(err, fault.Unavailable) {
		return unanswered(err)
	}
	return err
}

// away tells that the server could not be reached, cut the connection or takes none, from its answer to a statement. What the caller broke off
// himself is none of it.
func away(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, fault.Unavailable) {
		return false
	}
	if p, ok := errors.AsType[*pgconn.PgError](err); ok {
		return severed(p.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	for _, known := range []error{driver.ErrBadConn, sql.ErrConnDone, pgconn.ErrConnClosed, net.ErrClosed, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, known) {
			return true
		}
	}
	return err != nil && err.Error() == "sql: database is closed" // database/sql does not export it
}

// stale is how many cut connections one call leaves behind before it gives up: as many as a pool holds.
const stale = writeConns

// cut tells that a connection which once worked is gone, as after a failover. A server that cannot be reached is asked no second time.
func cut(err error) bool {
	_, unreached := errors.AsType[*pgconn.ConnectError](err)
	return !unreached && away(err) && !coded(err, "53300")
}

// severed are the codes of a connection that failed (08), of a server that stops, stopped or starts (57P01 to 57P03), of a transaction that
// it gave up waiting for (25P03), and of one that has no connection left (53300).
func severed(code string) bool {
	switch code {
	case "57P01", "57P02", "57P03", "25P03", "53300":
		return true
	}
	return strings.HasPrefix(code, "08")
}

func coded(err error, code string) bool {
	p, ok := errors.AsType[*pgconn.PgError](err)
	return ok && p.Code == code
}

func unanswered(err error) error {
	return fault.Unavailable.Wrap(err, "The market's store does not answer now; try again in a moment.")
}
