package osb

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/providers"
)

// state is what the driver keeps of an instance or a binding. It never holds a credential.
type state struct {
	Service   string `json:"service,omitempty"` // the upstream's ids, as they were when it was made
	Plan      string `json:"plan,omitempty"`
	Verb      string `json:"verb,omitempty"` // of the upstream's operation that is polled
	Operation string `json:"operation,omitempty"`
	To        string `json:"to,omitempty"`       // what an update in flight leads to
	Orphan    bool   `json:"orphan,omitempty"`   // a request may have left something: delete it before trying anew
	Late      bool   `json:"late,omitempty"`     // nothing of it was there yet: look once more
	Made      bool   `json:"made,omitempty"`     // the upstream has accepted it
	Refused   bool   `json:"refused,omitempty"`  // the upstream has said no, and nothing is there
	Failures  int    `json:"failures,omitempty"` // answers in a row that say that the upstream failed to make it
	Dashboard string `json:"dashboard,omitempty"`
}

// enough is how many failures in a row end the making of a thing: an upstream that says so each time has no other word for "no".
const enough = 5

// The operations that are polled.
const (
	making   = "make"
	changing = "change"
	removing = "remove"
)

func readState(raw json.RawMessage) (s state, err error) {
	if len(raw) == 0 {
		return s, nil
	}
	if err = json.Unmarshal(raw, &s); err != nil {
		err = fault.Internal.Wrap(err, "The kept state cannot be read.")
	}
	return s, err
}

// json gives the state as it is kept.
func (s state) json() json.RawMessage {
	b, _ := json.Marshal(s) // strings and truths only
	return b
}

// idle forgets the operation that was polled.
func (s *state) idle() { s.Verb, s.Operation, s.To = "", "", "" }

// origin says which of the upstream's plans a plan of ours is.
func origin(service, plan string) string {
	return url.QueryEscape(service) + "/" + url.QueryEscape(plan)
}

func originOf(p catalog.Plan) (service, plan string, err error) {
	a, b, ok := strings.Cut(p.Origin, "/")
	if ok {
		if service, err = url.QueryUnescape(a); err == nil {
			plan, err = url.QueryUnescape(b)
		}
	}
	if !ok || err != nil || service == "" || plan == "" {
		return "", "", fault.Invalid.Errorf("The plan %s does not say which plan of the upstream it is.", p.Name)
	}
	return service, plan, nil
}

// item is an instance or a binding as the upstream knows it.
type item struct {
	noun          string // for people
	path          string
	service, plan string
	params        json.RawMessage
	secrets       []string // what must not be repeated to anybody, when the upstream says it
}

func (d *Driver) instance(i providers.Instance, s *state) (item, error) {
	if s.Service == "" {
		service, plan, err := originOf(i.Plan)
		if err != nil {
			return item{}, err
		}
		s.Service, s.Plan = service, plan
	}
	return item{
		noun: "instance", path: "/v2/service_instances/" + wireID(i.ID), service: s.Service, plan: s.Plan,
		params: i.Params, secrets: append(values(i.Params), d.settings.Password, d.settings.Token),
	}, nil
}

func (d *Driver) binding(i providers.Instance, b providers.Binding) (item, error) {
	s, err := readState(i.State)
	if err != nil {
		return item{}, err
	}
	t, err := d.instance(i, &s)
	t.noun, t.path, t.params = "binding", t.path+"/service_bindings/"+wireID(b.ID), b.Params
	t.secrets = append(t.secrets, values(b.Params)...)
	return t, err
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// wireID is our id of an instance, a binding, an owner or an app; one that is not safe in every broker's paths and stores is sent as an id derived
// from it, always the same one.
func wireID(id string) string {
	if plainID.MatchString(id) {
		return id
	}
	return ids.Stable("osb", id)
}

// values lists the texts within parameters.
func values(raw json.RawMessage) (out []string) {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(v)
	return out
}
