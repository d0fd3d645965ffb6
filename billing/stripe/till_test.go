package stripe_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// till is a Stripe with a memory, which the mock has not: it keeps what it was sent, honours idempotency keys until it is told to forget them,
// adds up, and can do what it is asked and then not answer.
type till struct {
	sync.Mutex
	*httptest.Server
	answers   map[string]string // by idempotency key
	asked     map[string]string // the parameters of each key
	customers int
	invoices  []map[string]any
	items     []map[string]any
	calls     int
	silentAt  int // the call that is obeyed and not answered
	problems  []string
}

func newTill(t *testing.T) *till {
	s := &till{}
	s.forget()
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// forget drops the idempotency keys, as Stripe may after a day.
func (s *till) forget() {
	s.Lock()
	defer s.Unlock()
	s.answers, s.asked = map[string]string{}, map[string]string{}
}

// silence makes the nth call from the beginning one that is obeyed and not answered.
func (s *till) silence(n int) {
	s.Lock()
	defer s.Unlock()
	s.silentAt = n
}

// kept is what the till holds.
type kept struct {
	customers, items int
	invoices         []map[string]any
	problems         []string
}

func (s *till) kept() kept {
	s.Lock()
	defer s.Unlock()
	return kept{s.customers, len(s.items), s.invoices, s.problems}
}

func (s *till) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	s.calls++
	_ = r.ParseForm()
	key := r.Header.Get("Idempotency-Key")
	answer, known := s.answers[key]
	switch {
	case r.Method == http.MethodGet:
		answer = s.show(r)
	case key == "":
		s.problems = append(s.problems, "a change without an idempotency key: "+r.URL.Path)
	case known && s.asked[key] != r.Form.Encode():
		s.problems = append(s.problems, "one key for two requests: "+key)
	case !known:
		answer = s.change(r)
		s.answers[key], s.asked[key] = answer, r.Form.Encode()
	}
	if s.calls == s.silentAt {
		panic(http.ErrAbortHandler) // the caller sees a broken connection
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(answer))
}

func (s *till) show(r *http.Request) string {
	switch path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/"); {
	case path[0] == "invoices" && len(path) == 2:
		return text(s.invoice(path[1]))
	case path[0] == "invoices":
		return text(map[string]any{"object": "list", "data": s.invoices, "has_more": false, "url": r.URL.Path})
	}
	return text(map[string]any{"object": "list", "data": s.items, "has_more": false, "url": r.URL.Path})
}

func (s *till) change(r *http.Request) string {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	switch {
	case path[0] == "customers":
		s.customers++
		return text(map[string]any{"object": "customer", "id": fmt.Sprint("cus_", s.customers)})
	case path[0] == "invoiceitems":
		amount, err := strconv.ParseInt(r.Form.Get("amount"), 10, 64)
		i := s.invoice(r.Form.Get("invoice"))
		if err != nil || i["status"] != "draft" || len(s.items) >= 250 {
			s.problems = append(s.problems, "an item that cannot be added")
		}
		i["total"] = i["total"].(int64) + amount
		item := map[string]any{"object": "invoiceitem", "id": fmt.Sprint("ii_", len(s.items)), "metadata": map[string]string{"sutler_item": r.Form.Get("metadata[sutler_item]")}}
		s.items = append(s.items, item)
		return text(item)
	case len(path) == 1:
		if r.Form.Get("auto_advance") != "false" || r.Form.Get("pending_invoice_items_behavior") != "exclude" {
			s.problems = append(s.problems, "a draft that moves by itself")
		}
		i := map[string]any{
			"object": "invoice", "id": fmt.Sprint("in_", len(s.invoices)), "status": "draft", "total": int64(0), "customer": r.Form.Get("customer"),
			"metadata": map[string]string{"sutler_hash": r.Form.Get("metadata[sutler_hash]")},
		}
		s.invoices = append(s.invoices, i)
		return text(i)
	case path[2] == "finalize":
		s.invoice(path[1])["status"] = "open"
	case path[2] == "void":
		s.invoice(path[1])["status"] = "void"
	}
	return text(s.invoice(path[1]))
}

func (s *till) invoice(id string) map[string]any {
	for _, i := range s.invoices {
		if i["id"] == id {
			return i
		}
	}
	s.problems = append(s.problems, "an invoice that is not there: "+id)
	return map[string]any{"total": int64(0)}
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
