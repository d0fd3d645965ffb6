package mysql

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/sutlerhq/sutler/internal/fault"
)

// lockedByOther is the server's code for a lock that was not to be had in time.
const lockedByOther = 1205

// dropDatabase drops the instance's database, whose logins are shut and whose sessions have ended.
func (s session) dropDatabase(ctx context.Context) error {
	statement := `DROP DATABASE IF EXISTS ` + quoted(s.database)
	err := s.run(ctx, statement)
	if number(err) != lockedByOther {
		return err
	}
	held, e := s.holdsRows(ctx)
	if e != nil || !held {
		return err // a copy that is under way, or the server's own upkeep
	}
	if e := s.rollBackPrepared(ctx); e != nil {
		return e
	}
	return s.run(ctx, statement)
}

// holdsRows tells whether rows of the instance's tables are locked. When nobody is left that could, a transaction does that an app prepared: it
// outlives the app's connection and its login.
func (s session) holdsRows(ctx context.Context) (bool, error) {
	tables, err := column(ctx, s, `SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' AND ENGINE = 'InnoDB'`, s.database)
	if err != nil {
		return false, err
	}
	for _, table := range tables {
		_, err := column(ctx, s, `SELECT 1 FROM (SELECT COUNT(*) FROM `+quoted(s.database)+`.`+quoted(table)+` FOR UPDATE NOWAIT) t`)
		if number(err) == lockedByOther {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// literal is bytes for a statement.
func literal(b []byte) string { return "X'" + strings.ToUpper(hex.EncodeToString(b)) + "'" }

// rollBackPrepared ends the one transaction that is prepared on the server. Of several the server does not tell whose they are: another tenant's must
// not be touched, so a person has to look.
func (s session) rollBackPrepared(ctx context.Context) error {
	rows, err := s.QueryContext(ctx, `XA RECOVER`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var format, global, branch int
		var data []byte
		if err := rows.Scan(&format, &global, &branch, &data); err != nil {
			return err
		}
		if global+branch > len(data) {
			continue
		}
		list = append(list, fmt.Sprintf("%s,%s,%d", literal(data[:global]), literal(data[global:global+branch]), format))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	_ = rows.Close() // the connection is wanted below
	if len(list) != 1 {
		return fault.ProviderFailed.Errorf("A transaction that an app prepared (XA) holds the database, and it is one of %d on the MariaDB server.", len(list)).
			WithHint("XA RECOVER lists them; end the one of this database with XA ROLLBACK. It is tried again.")
	}
	return s.run(ctx, `XA ROLLBACK `+list[0])
}
