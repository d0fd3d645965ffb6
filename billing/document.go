package billing

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/sutlerhq/sutler/billing/rating"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
)

// engine is the version of the rules that compute a document, which are rating's. An older document is recomputed by its own.
const engine = rating.Newest

// document is an invoice's canonical form: what is hashed, signed and kept byte for byte. Its fields and their order may not change for a given engine.
type document struct {
	Engine        int       `json:"engine"`
	Number        string    `json:"number"`
	Previous      string    `json:"previous"`
	Account       string    `json:"account"`
	AccountName   string    `json:"account_name"`
	Seller        string    `json:"seller"`
	Country       string    `json:"country"`
	Currency      string    `json:"currency"`
	Period        Period    `json:"period"`
	IssuedAt      time.Time `json:"issued_at"`
	Lines         []Line    `json:"lines"`
	Subtotal      string    `json:"subtotal"`
	Discount      string    `json:"discount"`
	Tax           []Tax     `json:"tax"`
	Total         string    `json:"total"`
	CreditApplied string    `json:"credit_applied"`
	Due           string    `json:"due"`
	Fee           string    `json:"fee"` // the market's share of each provider's net lines
}

// draw makes the document of charges, without the number and its place in the chain; total is its sum in minor units.
func draw(a accountRow, s Seller, rules int, month Period, issued time.Time, charges []charge) (d document, total money.Amount, err error) {
	subtotal, err := sum(a.Currency, charges)
	if err != nil {
		return d, total, err
	}
	taxes := make([]rating.Tax, len(s.Tax))
	for i, t := range s.Tax {
		taxes[i] = rating.Tax(t)
	}
	amounts, err := rating.Taxes(subtotal, taxes, money.HalfAway)
	if err != nil {
		return d, total, fault.Unprocessable.Wrap(err, "The tax on %s %s cannot be computed: %s.", subtotal, a.Currency, err)
	}
	total = subtotal
	shown := make([]Tax, len(taxes))
	for i, t := range taxes {
		shown[i] = Tax{Name: t.Name, Rate: t.Rate.String(), Amount: amounts[i].String()}
		if total, err = total.Add(amounts[i]); err != nil {
			return d, total, fault.Unprocessable.Wrap(err, "The total of %s %s with its tax cannot be computed: %s.", subtotal, a.Currency, err)
		}
	}
	none := money.Amount{Currency: a.Currency}.String()
	return document{
		Engine: rules, Account: a.ID, AccountName: a.Name, Seller: s.Name, Country: s.Country, Currency: a.Currency, Period: month, IssuedAt: issued,
		Lines: linesOf(charges), Subtotal: subtotal.String(), Discount: none, Tax: shown, Total: total.String(), CreditApplied: none, Due: total.String(),
		Fee: s.Fee.String(),
	}, total, nil
}

// bytes is the canonical form.
func (d document) bytes() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return nil, fault.Internal.Wrap(err, "The invoice could not be written.")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func hashOf(document []byte) string {
	h := sha256.Sum256(document)
	return hex.EncodeToString(h[:])
}

// seller gives the terms that the document was computed by.
func (d document) seller() (Seller, error) {
	s := Seller{Name: d.Seller, Country: d.Country}
	var err error
	if s.Fee, err = money.Parse(d.Fee); err != nil {
		return s, err
	}
	for _, t := range d.Tax {
		rate, err := money.Parse(t.Rate)
		if err != nil {
			return s, err
		}
		s.Tax = append(s.Tax, Taxed{t.Name, rate})
	}
	return s, nil
}

// read takes the document from its stored form; false when it is none.
func (d *document) read(text string) bool { return json.Unmarshal([]byte(text), d) == nil }

// terms is seller for those who only ask whether the terms can be read.
func (d document) terms() (Seller, bool) {
	s, err := d.seller()
	return s, err == nil
}

// invoice gives the document as callers see it.
func (d document) invoice() Invoice {
	return Invoice{
		Number: d.Number, Account: d.Account, AccountName: d.AccountName, Seller: d.Seller, Currency: d.Currency, Period: d.Period, IssuedAt: d.IssuedAt,
		Lines: d.Lines, Subtotal: d.Subtotal, Discount: d.Discount, Tax: d.Tax, Total: d.Total, CreditApplied: d.CreditApplied, Due: d.Due, Previous: d.Previous,
	}
}
