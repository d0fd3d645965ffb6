package billing

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Entry is one side of a posting: debits are above zero, credits below. The ledgers are receivable/ACCOUNT, payable/PROVIDER, tax/NAME and fees.
type Entry struct {
	Posting  string // "invoice/SUT-2026-000001"
	Ledger   string
	Amount   money.Amount
	PostedAt time.Time
}

// Journal lists all entries in the order of posting. It needs ledger:manage in the market.
func (l *Ledger) Journal(ctx context.Context, who identity.Principal) ([]Entry, error) {
	if err := may(who, identity.LedgerManage, identity.Scope{}); err != nil {
		return nil, err
	}
	rows, err := l.entries(ctx, "")
	if err != nil {
		return nil, err
	}
	out := make([]Entry, len(rows))
	for i, r := range rows {
		out[i] = Entry{Posting: r.Posting, Ledger: r.Ledger, Amount: money.Amount{Minor: r.Amount, Currency: r.Currency}, PostedAt: instant(r.PostedAt)}
	}
	return out, nil
}

// TrialBalance gives the sum of the whole journal per currency, in order of the currency: each must be zero. It needs ledger:manage in the market.
func (l *Ledger) TrialBalance(ctx context.Context, who identity.Principal) ([]money.Amount, error) {
	entries, err := l.Journal(ctx, who)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return strings.Compare(a.Amount.Currency, b.Amount.Currency) })
	var out []money.Amount
	for _, e := range entries {
		last := len(out) - 1
		if last < 0 || out[last].Currency != e.Amount.Currency {
			out = append(out, e.Amount)
			continue
		}
		if out[last], err = out[last].Add(e.Amount); err != nil {
			return nil, fault.Internal.Wrap(err, "The journal's sum is beyond what a number holds.")
		}
	}
	return out, nil
}

// postings gives the entries of an invoice: the account owes the total; each provider is owed its net lines less the market's fee; taxes are held.
// They come to zero.
func postings(d document) ([]entryRow, error) {
	s, err := d.seller()
	if err != nil {
		return nil, err
	}
	p := poster{posting: "invoice/" + d.Number, currency: d.Currency, at: d.IssuedAt.UnixMicro()}
	p.post("receivable/"+d.Account, d.Total, 1)
	fees := money.Amount{Currency: d.Currency}
	for _, provider := range providersOf(d.Lines) {
		net := money.Amount{Currency: d.Currency}
		for _, line := range d.Lines {
			if line.Provider == provider {
				net = p.add(net, p.parse(line.Amount))
			}
		}
		exact, err := net.Ratio()
		if err != nil {
			return nil, err
		}
		fee, err := money.Round(exact.Mul(s.Fee.Ratio()), d.Currency, money.HalfAway)
		if err != nil {
			return nil, err
		}
		fees = p.add(fees, fee)
		p.entry("payable/"+provider, fee.Minor-net.Minor)
	}
	p.entry("fees", -fees.Minor)
	for _, t := range d.Tax {
		p.post("tax/"+t.Name, t.Amount, -1)
	}
	return p.rows, p.err
}

func providersOf(lines []Line) []string {
	var out []string
	for _, l := range lines {
		out = append(out, l.Provider)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// poster collects entries; the first thing that goes wrong stays in err.
type poster struct {
	posting, currency string
	at                int64
	rows              []entryRow
	err               error
}

func (p *poster) parse(text string) money.Amount {
	a, err := money.ParseAmount(text, p.currency)
	if err != nil && p.err == nil {
		p.err = err
	}
	return a
}

func (p *poster) add(a, b money.Amount) money.Amount {
	c, err := a.Add(b)
	if err != nil && p.err == nil {
		p.err = err
	}
	return c
}

func (p *poster) post(ledger, amount string, sign int64) { p.entry(ledger, sign*p.parse(amount).Minor) }

// entry adds one that is not zero.
func (p *poster) entry(ledger string, amount int64) {
	if amount != 0 {
		p.rows = append(p.rows, entryRow{Posting: p.posting, N: int64(len(p.rows)), Ledger: ledger, Amount: amount, Currency: p.currency, PostedAt: p.at})
	}
}
