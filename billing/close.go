package billing

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// close makes an account's invoice of a month, once, if it has lines. The account is held alone, so whatever is charged or reported meanwhile waits
// and then finds the month closed.
func (l *Ledger) close(ctx context.Context, id string, month Period, key *ecdsa.PrivateKey, keyID string) error {
	return l.db.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		account, err := l.account(ctx, id, alone)
		if err != nil || account.ClosedTo >= month.To.UnixMicro() {
			return err
		}
		if err := l.flagStrays(ctx, id, month.From.UnixMicro(), month.To.UnixMicro()); err != nil {
			return err
		}
		if err := l.carry(ctx, account, month); err != nil {
			return err
		}
		charges, err := l.charges(ctx, account, identity.Scope{}, month, time.Time{})
		if err != nil {
			return err
		}
		if err := l.setClosed(ctx, id, month.To.UnixMicro()); err != nil || len(charges) == 0 {
			return err
		}
		return l.issue(ctx, account, month, charges, key, keyID)
	})
}

// issue numbers, chains, signs and posts one invoice.
func (l *Ledger) issue(ctx context.Context, a accountRow, month Period, charges []charge, key *ecdsa.PrivateKey, keyID string) error {
	now := l.clock.Now().Truncate(time.Microsecond)
	d, total, err := draw(a, l.seller, l.rules, month, now, charges)
	if err != nil {
		return err
	}
	series, err := l.series(ctx, l.seller.Series)
	if err != nil {
		return err
	}
	if year := int64(now.Year()); series.Year != year {
		series.Year, series.Number = year, 0
	}
	series.Number++
	series.Position++
	d.Number, d.Previous = fmt.Sprintf("%s-%d-%06d", series.Name, series.Year, series.Number), series.Head
	canonical, err := d.bytes()
	if err != nil {
		return err
	}
	series.Head = hashOf(canonical)
	signature, err := sign(key, series.Head)
	if err != nil {
		return err
	}
	if err := l.setSeries(ctx, series); err != nil {
		return err
	}
	return l.keep(ctx, invoiceRow{
		Number: d.Number, Series: series.Name, Position: series.Position, Account: a.ID, PeriodFrom: month.From.UnixMicro(), PeriodTo: month.To.UnixMicro(),
		Currency: d.Currency, State: "open", Total: total.Minor, IssuedAt: now.UnixMicro(), Document: string(canonical), Hash: series.Head, Previous: d.Previous,
		KeyID: keyID, Signature: signature,
	}, d)
}

// keep writes the invoice with its lines, its journal entries and its place in the outbox.
func (l *Ledger) keep(ctx context.Context, row invoiceRow, d document) error {
	var lines []lineRow
	for i, line := range d.Lines {
		raw, err := json.Marshal(line)
		if err != nil {
			return fault.Internal.Wrap(err, "A line could not be written.")
		}
		amount, err := money.ParseAmount(line.Amount, d.Currency)
		if err != nil {
			return fault.Internal.Wrap(err, "A line has no amount.")
		}
		lines = append(lines, lineRow{N: int64(i), Amount: amount.Minor, Line: string(raw)})
	}
	entries, err := postings(d)
	if err != nil {
		return fault.Internal.Wrap(err, "The journal entries of %s could not be made.", d.Number)
	}
	if err := l.insertInvoice(ctx, row, lines, entries); err != nil {
		return err
	}
	if err := l.wakePush(ctx, d.Number); err != nil {
		return err
	}
	return l.audit.Append(ctx, audit.Entry{
		Who: "system", Action: "invoice.issue", Object: "invoice/" + d.Number, Detail: map[string]string{"account": d.Account, "total": d.Total, "currency": d.Currency, "hash": row.Hash},
	})
}

// sign gives the ES256 signature (r and s, 32 bytes each, base64) over a hash in hex: that of the document itself.
func sign(key *ecdsa.PrivateKey, hash string) (string, error) {
	digest, err := hex.DecodeString(hash)
	if err != nil {
		return "", fault.Internal.Wrap(err, "The invoice's hash is none.")
	}
	r, s, err := ecdsa.Sign(rand.Reader, key, digest)
	if err != nil {
		return "", fault.Internal.Wrap(err, "The invoice could not be signed.")
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return base64.StdEncoding.EncodeToString(out), nil
}
