package billing

import (
	"context"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
)

// store is the room's SQL. Writes happen in the transaction that ctx carries.
type store struct{ db *database.DB }

// lock says how an account's row is held until the transaction ends: what must not meet a close shares it, a close has it alone.
type lock string

const (
	unlocked lock = ""
	shared   lock = " FOR SHARE"
	alone    lock = " FOR UPDATE"
)

type accountRow struct {
	ID, Name, Currency string
	ClosedTo           int64
	Customer           string
	CreatedAt          int64
	CloseNote          string // why closed_to stands where it does
}

// exec runs a statement and tells how many rows it touched.
func (s store) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	x := s.db.From(ctx).Exec(sql, args...)
	if x.Error != nil {
		return 0, broken(x.Error)
	}
	return x.RowsAffected, nil
}

// read scans the rows of a query into a slice.
func read[T any](ctx context.Context, s store, sql string, args ...any) ([]T, error) {
	var out []T
	sql = strings.Replace(sql, "SELECT * FROM", "SELECT "+s.db.Columns(out)+" FROM", 1)
	if err := s.db.From(ctx).Raw(sql, args...).Scan(&out).Error; err != nil {
		return nil, broken(err)
	}
	return out, nil
}

func broken(err error) error {
	return fault.Unavailable.Wrap(err, "The ledger's store does not answer as it should.").WithHint("Try again; if it stays so, the market's log says more.")
}

func instant(micro int64) time.Time { return time.UnixMicro(micro).UTC() }

func (s store) insertAccount(ctx context.Context, a accountRow) error {
	_, err := s.exec(ctx, `INSERT INTO accounts (id, name, currency, closed_to, created_at) VALUES (?, ?, ?, ?, ?)`,
		a.ID, a.Name, a.Currency, a.ClosedTo, a.CreatedAt)
	return err
}

// account finds one; it is fault.NotFound when there is none. SQLite's one writer needs no row lock.
func (s store) account(ctx context.Context, id string, how lock) (accountRow, error) {
	if s.db.SQLite {
		how = unlocked
	}
	rows, err := read[accountRow](ctx, s, `SELECT * FROM accounts WHERE id = ?`+string(how), id)
	if err != nil {
		return accountRow{}, err
	}
	if len(rows) == 0 {
		return accountRow{}, fault.NotFound.Errorf("There is no account %q.", id)
	}
	return rows[0], nil
}

func (s store) accountIDs(ctx context.Context) ([]string, error) {
	return read[string](ctx, s, `SELECT id FROM accounts ORDER BY id`)
}

func (s store) setClosed(ctx context.Context, account string, to int64) error {
	_, err := s.exec(ctx, `UPDATE accounts SET closed_to = ?, close_note = '' WHERE id = ?`, to, account)
	return err
}

func (s store) setCloseNote(ctx context.Context, account, note string) error {
	_, err := s.exec(ctx, `UPDATE accounts SET close_note = ? WHERE id = ?`, note, account)
	return err
}

// behind gives the accounts of which something before an instant is not closed, in order of their ids.
func (s store) behind(ctx context.Context, to int64) ([]accountRow, error) {
	return read[accountRow](ctx, s, `SELECT * FROM accounts WHERE closed_to < ? ORDER BY id`, to)
}

func (s store) setCustomer(ctx context.Context, account, customer string) error {
	_, err := s.exec(ctx, `UPDATE accounts SET customer = ? WHERE id = ?`, customer, account)
	return err
}

func (s store) insertOrg(ctx context.Context, account, org string) (bool, error) {
	n, err := s.exec(ctx, `INSERT INTO account_orgs (org, account) VALUES (?, ?) ON CONFLICT DO NOTHING`, org, account)
	return n > 0, err
}

// payer gives the account that pays for an org, "" when none does.
func (s store) payer(ctx context.Context, org string) (string, error) {
	rows, err := read[string](ctx, s, `SELECT account FROM account_orgs WHERE org = ?`, org)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0], nil
}

func (s store) orgs(ctx context.Context, account string) ([]string, error) {
	return read[string](ctx, s, `SELECT org FROM account_orgs WHERE account = ? ORDER BY org`, account)
}
