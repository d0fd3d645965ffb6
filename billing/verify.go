package billing

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Verify recomputes an invoice from intervals, events and prices, and checks its hash, its place in the chain, its signature, its journal entries and
// its state.
// What does not hold is told in the checks; an error means that it could not be checked.
func (l *Ledger) Verify(ctx context.Context, who identity.Principal, number string) (Verification, error) {
	row, err := l.readable(ctx, who, number)
	if err != nil {
		return Verification{}, err
	}
	v := verifier{l: l, row: row, out: Verification{Number: number, OK: true}}
	if !v.signed.read(row.Document) {
		v.check("hash", "the stored document is no document")
		return v.out, nil
	}
	for _, step := range []func(context.Context) error{v.hash, v.previous, v.signature, v.recompute, v.journal, v.state} {
		if err := step(ctx); err != nil {
			return Verification{}, err
		}
	}
	return v.out, nil
}

type verifier struct {
	l      *Ledger
	row    invoiceRow
	signed document
	out    Verification
}

// check adds a result; an empty problem is a pass.
func (v *verifier) check(name, problem string) {
	v.out.Checks = append(v.out.Checks, Check{Name: name, OK: problem == "", Note: problem})
	v.out.OK = v.out.OK && problem == ""
}

// hash compares the document with its hash, and the row's own columns with the document.
func (v *verifier) hash(context.Context) error {
	d, r := v.signed, v.row
	total, err := money.ParseAmount(d.Total, d.Currency)
	switch {
	case hashOf([]byte(r.Document)) != r.Hash:
		v.check("hash", "the document was changed: it no longer has its hash")
	case err != nil || d.Number != r.Number || d.Account != r.Account || d.Currency != r.Currency || total.Minor != r.Total ||
		d.Period.From.UnixMicro() != r.PeriodFrom || d.Period.To.UnixMicro() != r.PeriodTo || d.IssuedAt.UnixMicro() != r.IssuedAt:
		v.check("hash", "the row says other than the document")
	default:
		v.check("hash", "")
	}
	return nil
}

// previous compares the link with the invoice before it in the seller's series.
func (v *verifier) previous(ctx context.Context) error {
	before, err := v.l.invoiceRows(ctx, `i.series = ? AND i.position = ?`, v.row.Series, v.row.Position-1)
	if err != nil {
		return err
	}
	want := ""
	if len(before) > 0 {
		want = before[0].Hash
	}
	switch {
	case v.row.Position > 1 && len(before) == 0:
		v.check("previous", "the invoice before it in the series is missing")
	case v.row.Previous != want || v.signed.Previous != want:
		v.check("previous", "it does not follow the invoice before it in the series")
	default:
		v.check("previous", "")
	}
	return nil
}

func (v *verifier) signature(ctx context.Context) error {
	key, err := v.l.box.PublicKey(ctx, v.row.KeyID)
	switch {
	case errors.Is(err, fault.NotFound):
		v.check("signature", fmt.Sprintf("the key %s is not known", v.row.KeyID))
	case err != nil:
		return err
	case !fits(key, v.row.Hash, v.row.Signature):
		v.check("signature", "the signature does not fit the hash")
	default:
		v.check("signature", "")
	}
	return nil
}

// fits tells whether a signature, as sign makes it, is the key's over the hash.
func fits(key *ecdsa.PublicKey, hash, signature string) bool {
	digest, err1 := hex.DecodeString(hash)
	raw, err2 := base64.StdEncoding.DecodeString(signature)
	return errors.Join(err1, err2) == nil && len(raw) == 64 &&
		ecdsa.Verify(key, digest, new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:]))
}

// recompute draws the document again from intervals, events and prices, and compares its lines and its total, and the stored lines.
func (v *verifier) recompute(ctx context.Context) error {
	again, problem, err := v.draw(ctx)
	if err != nil {
		return err
	}
	stored, err := v.l.lines(ctx, v.row.Number)
	if err != nil {
		return err
	}
	switch {
	case problem != "":
		v.check("lines", problem)
	case !slices.Equal(again.Lines, v.signed.Lines):
		v.check("lines", "intervals, events and prices give other lines than the document has"+difference(again.Lines, v.signed.Lines))
	case !sameLines(stored, v.signed):
		v.check("lines", "the stored lines are not the document's")
	default:
		v.check("lines", "")
	}
	v.out.Recomputed = again.Total
	if problem != "" || again.Total != v.signed.Total || !slices.Equal(again.Tax, v.signed.Tax) || again.Subtotal != v.signed.Subtotal {
		v.check("total", fmt.Sprintf("recomputed %q, the document says %q", again.Total, v.signed.Total))
	} else {
		v.check("total", "")
	}
	return nil
}

// draw computes the document afresh by its own terms; a problem says why it cannot be.
func (v *verifier) draw(ctx context.Context) (document, string, error) {
	account, err := v.l.account(ctx, v.row.Account, unlocked)
	if err != nil {
		return document{}, "", err
	}
	terms, readable := v.signed.terms()
	if !readable || v.signed.Engine < 1 || v.signed.Engine > engine {
		return document{}, fmt.Sprintf("the document's terms (engine %d) cannot be read", v.signed.Engine), nil
	}
	charges, err := v.l.chargesBy(ctx, v.signed.Engine, account, identity.Scope{}, v.signed.Period, time.Time{})
	if errors.Is(err, fault.Unavailable) {
		return document{}, "", err
	}
	if unrated := err; unrated != nil { // a finding, not a failure of the check
		v.l.log.Warn("an invoice cannot be recomputed", "invoice", v.row.Number, "err", unrated)
		return document{}, "intervals, events and prices can no longer be rated", nil
	}
	again, _, err := draw(account, terms, v.signed.Engine, v.signed.Period, v.signed.IssuedAt, charges)
	return again, "", err
}

// difference names the first line that differs.
func difference(again, signed []Line) string {
	for i := range min(len(again), len(signed)) {
		if a, s := again[i], signed[i]; a != s {
			return fmt.Sprintf(": line %d (%s) comes to %s × %s = %s, the document says %s × %s = %s",
				i+1, s.Description, a.Quantity, a.UnitPrice, a.Amount, s.Quantity, s.UnitPrice, s.Amount)
		}
	}
	return fmt.Sprintf(": %d instead of %d", len(again), len(signed))
}

func sameLines(stored []lineRow, d document) bool {
	if len(stored) != len(d.Lines) {
		return false
	}
	for i, row := range stored {
		var line Line
		amount, err := money.ParseAmount(d.Lines[i].Amount, d.Currency)
		if err != nil || json.Unmarshal([]byte(row.Line), &line) != nil || line != d.Lines[i] || row.Amount != amount.Minor {
			return false
		}
	}
	return true
}

// state compares the row's state with what was posted. Nothing but the issue itself is ever posted today, so every invoice is open: a state that
// says more was written by hand.
func (v *verifier) state(context.Context) error {
	if v.row.State != "open" {
		v.check("state", fmt.Sprintf("the row says %q, and the journal holds no payment or credit that made it so", v.row.State))
	} else {
		v.check("state", "")
	}
	return nil
}

// journal compares the posting with what the document gives, and its sum with zero.
func (v *verifier) journal(ctx context.Context) error {
	stored, err := v.l.entries(ctx, "invoice/"+v.row.Number)
	if err != nil {
		return err
	}
	var balance int64
	for _, e := range stored {
		balance += e.Amount
	}
	want, err := postings(v.signed)
	switch {
	case balance != 0:
		v.check("journal", "debits and credits do not come to zero")
	case err != nil || !slices.Equal(stored, want):
		v.check("journal", "the journal's entries are not the invoice's")
	default:
		v.check("journal", "")
	}
	return nil
}
