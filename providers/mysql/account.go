package mysql

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the server's own form of a stored password
	"fmt"
	"strings"
	"time"
)

// Rights in an instance's own database. writing are those that make it grow; they are taken away while it is over its size, and
// what is left suffices to look, to delete and to drop.
const (
	reading = "SELECT, DELETE, DROP, LOCK TABLES, EXECUTE, SHOW VIEW, ALTER ROUTINE, EVENT"
	writing = "INSERT, UPDATE, CREATE, ALTER, INDEX, REFERENCES, CREATE TEMPORARY TABLES, CREATE VIEW, CREATE ROUTINE, TRIGGER"
)

// allow gives an account its rights in the instance's database, and no others.
func (s session) allow(ctx context.Context, name string, held bool) error {
	if held {
		return s.run(ctx, `GRANT `+reading+` ON `+scope(s.database)+` TO `+account(name))
	}
	return s.run(ctx, `GRANT `+reading+`, `+writing+` ON `+scope(s.database)+` TO `+account(name))
}

// stored is what the server keeps of a password. It can check the password by it and not tell it: no statement and no log holds one.
func stored(password string) string {
	once := sha1.Sum([]byte(password)) //nolint:gosec // 40 random letters cannot be guessed from it
	twice := sha1.Sum(once[:])         //nolint:gosec // see above
	return fmt.Sprintf("*%X", twice)
}

// shut locks an account and gives it a password that nobody has. One that is not there is no error.
func (s session) shut(ctx context.Context, name string) error {
	return s.run(ctx, `ALTER USER IF EXISTS `+account(name)+` IDENTIFIED BY PASSWORD '`+stored(rand.Text())+`' ACCOUNT LOCK`)
}

// handshake is how long a login that was on its way when its account was shut may take; then it is ended.
const handshake = time.Second

// end ends the sessions of these accounts and returns when they have ended. A login that had been looked up before the account was shut
// shows its name late: those that were on their way are waited for, and the slow ones ended.
func (s session) end(ctx context.Context, accounts ...string) error {
	if len(accounts) == 0 {
		return nil
	}
	coming, err := column(ctx, s, `SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'unauthenticated user'`)
	if err != nil {
		return err
	}
	patience := time.Now().Add(handshake)
	for {
		left, err := column(ctx, s, `SELECT ID FROM information_schema.PROCESSLIST WHERE USER IN (`+texts(accounts)+`)`)
		if err != nil {
			return err
		}
		if len(coming) > 0 {
			late, err := column(ctx, s, `SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'unauthenticated user' AND ID IN (`+strings.Join(coming, ",")+`)`)
			if err != nil {
				return err
			}
			if coming = late; len(coming) == 0 {
				continue // whom they became is seen now
			}
			if time.Now().After(patience) {
				left = append(left, coming...)
			}
		}
		if len(left) == 0 && len(coming) == 0 {
			return nil
		}
		if err := s.kill(ctx, left); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// texts is a list of derived names for a statement.
func texts(names []string) string { return "'" + strings.Join(names, "','") + "'" }

func (s session) kill(ctx context.Context, connections []string) error {
	for _, id := range connections {
		if err := s.run(ctx, `KILL CONNECTION `+id); err != nil && number(err) != 1094 { // it has just gone
			return err
		}
	}
	return nil
}

// defines tells whether a view, trigger, routine or event of the database runs with the rights of the account.
func (s session) defines(ctx context.Context, name string) (ok bool, err error) {
	definer := name + "@%"
	err = s.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ? AND DEFINER = ?)
		OR EXISTS (SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? AND DEFINER = ?)
		OR EXISTS (SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ? AND DEFINER = ?)
		OR EXISTS (SELECT 1 FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ? AND DEFINER = ?)`,
		s.database, definer, s.database, definer, s.database, definer, s.database, definer).Scan(&ok)
	return ok, err
}

// sweep drops the accounts that were unbound and define nothing any more.
func (s session) sweep(ctx context.Context) error {
	list, err := s.logins(ctx)
	if err != nil {
		return err
	}
	for _, l := range list {
		if !l.gone {
			continue
		}
		needed, err := s.defines(ctx, l.name)
		if err != nil {
			return err
		}
		if needed {
			continue
		}
		if err := s.drop(ctx, l.name); err != nil {
			return err
		}
	}
	return nil
}

// drop removes an account and its line in the books; what it was seen to have done stays counted.
func (s session) drop(ctx context.Context, name string) error {
	if err := s.tally(ctx); err != nil {
		return err
	}
	if err := s.run(ctx, `DROP USER IF EXISTS `+account(name)); err != nil {
		return err
	}
	_, err := s.ExecContext(ctx, `DELETE FROM sutler.logins WHERE name = ?`, name)
	return err
}
