package osb_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/osb"
)

// step calls a verb until it is done or fails, keeping its state, and gives what it said last.
func step(t *testing.T, state *json.RawMessage, verb func() (providers.Progress, error)) (providers.Progress, error) {
	t.Helper()
	for range 20 {
		p, err := verb()
		if p.State != nil {
			*state = p.State
		}
		if err != nil || p.Done {
			return p, err
		}
	}
	t.Fatal("it does not end")
	return providers.Progress{}, nil
}

func TestAsyncLife(t *testing.T) {
	in := reply{status: 200, body: `{"state":"in progress","description":"half"}`, header: map[string]string{"Retry-After": "7"}}
	ok := reply{status: 200, body: `{"state":"succeeded"}`}
	s := upstream(t, map[string][]reply{
		"PUT instance":    {{status: 202, body: `{"operation":"op ä/1","dashboard_url":"https://panel.example.com/1"}`}},
		"GET last":        {in, ok, in, ok, in, ok, in, {status: 410, body: `{}`}},
		"PATCH instance":  {{status: 202, body: `{"operation":"up"}`}},
		"PUT binding":     {{status: 202, body: `{"operation":"bind"}`}},
		"GET binding":     {{status: 200, body: `{"credentials":{"uri":"postgres://u:p@h:5432/d"},"metadata":{"expires_at":"2031-01-02T03:04:05.6Z"},"endpoints":[{"host":"h","ports":["5432"],"protocol":"tcp"}]}`}},
		"DELETE instance": {{status: 202, body: `{"operation":"del"}`}, {status: 410, body: `{}`}},
		"DELETE binding":  {{status: 200, body: `{}`}},
	})
	d := s.driver()
	i := s.order(d)
	p, err := d.Provision(t.Context(), i)
	if err != nil || p.Done {
		t.Fatal(p, err)
	}
	i.State = p.State
	p, err = d.Provision(t.Context(), i)
	if err != nil || p.Done || p.RetryAfter != 7*time.Second || p.Note != "half" {
		t.Errorf("in progress: %+v %v", p, err)
	}
	if got := s.last("GET last").query["operation"]; len(got) != 1 || got[0] != "op ä/1" {
		t.Errorf("the operation came back as %q", got)
	}
	if _, err = step(t, &i.State, func() (providers.Progress, error) { return d.Provision(t.Context(), i) }); err != nil {
		t.Fatal(err)
	}
	if d.Dashboard(i) != "https://panel.example.com/1" {
		t.Errorf("the page is %q", d.Dashboard(i))
	}
	next := i
	list, _ := d.Offerings(t.Context())
	next.Plan = list[0].Plans[1]
	if _, err = step(t, &next.State, func() (providers.Progress, error) { return d.Update(t.Context(), i, next) }); err != nil {
		t.Fatal(err)
	}
	patch := s.last("PATCH instance").body
	if patch["plan_id"] != "p2" || patch["parameters"] != nil || patch["previous_values"].(map[string]any)["plan_id"] != "p/1" {
		t.Errorf("the update said %v", patch)
	}
	b := providers.Binding{ID: "bnd_1", App: "app_1"}
	var g providers.Grant
	if _, err = step(t, &b.State, func() (p providers.Progress, err error) { g, p, err = d.Bind(t.Context(), next, b); return p, err }); err != nil {
		t.Fatal(err)
	}
	if g.Credentials["host"] != "h" || g.Credentials["password"] != "p" || g.ExpiresAt.Year() != 2031 || len(g.Endpoints) != 1 {
		t.Errorf("granted %+v", g)
	}
	if strings.Contains(string(b.State)+string(next.State), "postgres") {
		t.Error("a credential is kept in the state")
	}
	if got := s.last("PUT binding").body; got["plan_id"] != "p2" || got["bind_resource"].(map[string]any)["app_guid"] != "app_1" {
		t.Errorf("bound with %v", got)
	}
	if _, err = step(t, &b.State, func() (providers.Progress, error) { return d.Unbind(t.Context(), next, b) }); err != nil {
		t.Fatal(err)
	}
	if _, err = step(t, &next.State, func() (providers.Progress, error) { return d.Deprovision(t.Context(), next) }); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsSentUpstream(t *testing.T) {
	s := upstream(t, map[string][]reply{"PUT instance": {{status: 201, body: `{}`}}, "PUT binding": {{status: 201, body: `{"credentials":{}}`}}})
	d := s.driver()
	i := s.order(d)
	if _, err := d.Provision(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	got := s.last("PUT instance")
	user, password, _ := (&http.Request{Header: got.header}).BasicAuth()
	if user != "sutler" || password != "swordfish" || got.header.Get("X-Broker-API-Version") != "2.17" || got.query["accepts_incomplete"][0] != "true" {
		t.Errorf("asked with %v %v", got.header, got.query)
	}
	name, claim, _ := strings.Cut(got.header.Get("X-Broker-API-Originating-Identity"), " ")
	who, err := base64.StdEncoding.DecodeString(claim)
	if err != nil || name != "sutler" || !strings.Contains(string(who), "org_1") || got.body["context"].(map[string]any)["platform"] != name {
		t.Errorf("the identity is %s %s, the context %v", name, who, got.body["context"])
	}
	if got.body["service_id"] != "svc 1/ä" || got.body["plan_id"] != "p/1" || got.body["organization_guid"] != "org_1" || got.body["space_guid"] != "prj_1" ||
		got.body["parameters"].(map[string]any)["secret"] != "tops3cret" || got.body["maintenance_info"].(map[string]any)["version"] != "1.2.0" {
		t.Errorf("ordered %v", got.body)
	}
	if _, _, err := d.Bind(t.Context(), i, providers.Binding{ID: "bnd_2", Predecessor: "bnd_1", App: "app"}); err != nil {
		t.Fatal(err)
	}
	if b := s.last("PUT binding").body; b["predecessor_binding_id"] != "bnd_1" || b["app_guid"] != nil {
		t.Errorf("rotated with %v", b)
	}
	bearer := s.driver(func(o *osb.Settings) { o.Username, o.Password, o.Token = "", "", "t0ken" })
	if err := bearer.Probe(t.Context()); err != nil || s.last("GET catalog").header.Get("Authorization") != "Bearer t0ken" {
		t.Errorf("with a token: %v", err)
	}
}

func TestAnUpstreamThatIsOlder(t *testing.T) {
	old := func(w http.ResponseWriter, r *http.Request) {
		if v := r.Header.Get("X-Broker-API-Version"); v > "2.14" {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		_, _ = w.Write([]byte(shelf))
	}
	s := upstream(t, map[string][]reply{"GET catalog": {{do: old}}})
	if list, err := s.driver().Offerings(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	none := upstream(t, map[string][]reply{"GET catalog": {{status: 412}}})
	if _, err := none.driver().Offerings(t.Context()); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "no version") {
		t.Errorf("an upstream that speaks none: %v", err)
	}
}

// TestAnUpstreamThatAlwaysFails: the order ends, and what may be there is still to be deleted.
func TestAnUpstreamThatAlwaysFails(t *testing.T) {
	s := upstream(t, map[string][]reply{"PUT instance": {{status: 500, body: `{"description":"never"}`}}, "DELETE instance": {{status: 410}}})
	d := s.driver()
	i := s.order(d)
	for n := 1; ; n++ {
		p, err := d.Provision(t.Context(), i)
		i.State = p.State
		if want := map[bool]fault.Kind{true: fault.Refused, false: fault.ProviderFailed}[n == 5]; fault.KindOf(err) != want {
			t.Fatalf("try %d: %v", n, err)
		}
		if n == 5 {
			break
		}
	}
	p, err := d.Deprovision(t.Context(), i)
	if err != nil || p.Done {
		t.Fatalf("it did not look once more: %+v %v", p, err)
	}
	i.State = p.State
	if p, err = d.Deprovision(t.Context(), i); err != nil || !p.Done || strings.Count(s.was(), "DELETE") != 6 {
		t.Errorf("%+v %v %s", p, err, s.was())
	}
}

func TestFailuresOfOperations(t *testing.T) {
	for name, c := range map[string]struct {
		last []reply
		kind fault.Kind
		was  string // what came after the answer
	}{
		"failed":    {[]reply{{status: 200, body: `{"state":"failed","description":"no room for tops3cret"}`}}, fault.Refused, "DELETE instance, PUT instance"},
		"forgotten": {[]reply{{status: 404, body: `{}`}}, fault.ProviderFailed, "DELETE instance, PUT instance"},
		"500":       {[]reply{{status: 500}, {status: 200, body: `{"state":"in progress"}`}}, fault.ProviderFailed, "GET last"},
		"malformed": {[]reply{{status: 200, body: `{"state":"perhaps"}`}, {status: 200, body: `{"state":"in progress"}`}}, fault.ProviderFailed, "GET last"},
		"refused":   {[]reply{{status: 400}, {status: 200, body: `{"state":"in progress"}`}}, fault.Unavailable, "GET last"},
	} {
		s := upstream(t, map[string][]reply{"PUT instance": {{status: 202, body: `{}`}}, "GET last": c.last, "DELETE instance": {{status: 200, body: `{}`}}})
		d := s.driver()
		i := s.order(d)
		_, err := step(t, &i.State, func() (providers.Progress, error) { return d.Provision(t.Context(), i) })
		if fault.KindOf(err) != c.kind || strings.Contains(err.Error(), "tops3cret") {
			t.Errorf("%s: %v, %v", name, fault.KindOf(err), err)
		}
		if _, err := d.Provision(t.Context(), i); err != nil {
			t.Errorf("%s: tried anew: %v", name, err)
		}
		if want := "PUT instance, GET last, " + c.was; s.was() != want {
			t.Errorf("%s: it was asked %s, want %s", name, s.was(), want)
		}
	}
}

// TestADeleteIsNeverGivenUp: whatever the upstream answers, the next call asks again, until it says that the thing is gone.
func TestADeleteIsNeverGivenUp(t *testing.T) {
	s := upstream(t, map[string][]reply{
		"DELETE instance": {{status: 500}, {status: 400}, {status: 404}, {status: 200, body: `x`}, {status: 422, body: `{"error":"ConcurrencyError"}`}, {status: 204}, {status: 202, body: `{}`}, {status: 202, body: `{}`}, {status: 410}},
		"GET last":        {{status: 200, body: `{"state":"failed"}`}, {status: 404}},
	})
	d := s.driver()
	i := s.order(d)
	tries := 0
	for done := false; !done; tries++ {
		if tries > 20 {
			t.Fatal("it does not end")
		}
		p, err := d.Deprovision(t.Context(), i)
		i.State, done = p.State, p.Done
		if k := fault.KindOf(err); err != nil && (k == fault.Refused || k == fault.Invalid) {
			t.Errorf("try %d would end the delete: %v", tries, err)
		}
	}
	if n := strings.Count(s.was(), "DELETE"); n != 9 {
		t.Errorf("%d deletes: %s", n, s.was())
	}
}

func TestAnUpdateLeavesNothingToCleanUp(t *testing.T) {
	s := upstream(t, map[string][]reply{"PATCH instance": {{status: 500}, {status: 200, body: `x`}, {status: 408}, {status: 422, body: `{"description":"not this one"}`}, {status: 200, body: `{}`}}})
	d := s.driver()
	i := s.order(d)
	next := i
	next.Params = json.RawMessage(`{"size":2}`)
	for n, want := range []fault.Kind{fault.ProviderFailed, fault.ProviderFailed, fault.Timeout, fault.Refused} {
		p, err := d.Update(t.Context(), i, next)
		next.State = p.State
		if fault.KindOf(err) != want {
			t.Errorf("%d: %v", n, err)
		}
	}
	if p, err := d.Update(t.Context(), i, next); err != nil || !p.Done {
		t.Error(p, err)
	}
	if strings.Contains(s.was(), "DELETE") {
		t.Error(s.was())
	}
	if got := s.last("PATCH instance").body; got["plan_id"] != nil || got["parameters"].(map[string]any)["size"] != 2.0 {
		t.Errorf("it said %v", got)
	}
}

// TestAConflictOverOurOwnId: some brokers answer 409 to the same order again; what is there is then looked at.
func TestAConflictOverOurOwnId(t *testing.T) {
	for state, want := range map[string]bool{`{"state":"succeeded"}`: true, `{"state":"failed"}`: false} {
		s := upstream(t, map[string][]reply{"PUT instance": {{status: 409, body: `{}`}}, "GET last": {{status: 200, body: state}}})
		d := s.driver()
		p, err := d.Provision(t.Context(), s.order(d))
		if p.Done != want || !want && fault.KindOf(err) != fault.Refused {
			t.Errorf("%s: %+v %v", state, p, err)
		}
	}
}

// TestNothingSecretIsRepeated: an upstream that repeats what it was told in its errors does not bring it into ours.
func TestNothingSecretIsRepeated(t *testing.T) {
	s := upstream(t, map[string][]reply{"PUT instance": {{status: 400, body: `{"description":"bad tops3cret for sutler:swordfish\n` + strings.Repeat("x", 1000) + `"}`}}})
	d := s.driver()
	p, err := d.Provision(t.Context(), s.order(d))
	text := err.Error() + string(p.State)
	if strings.Contains(text, "tops3cret") || strings.Contains(text, "swordfish") || strings.Contains(text, "\n") || len(text) > 600 {
		t.Errorf("it says %q", text)
	}
}

func TestPrivateAddressesAreNotCalled(t *testing.T) {
	s := upstream(t, map[string][]reply{})
	d := s.driver(func(o *osb.Settings) { o.Allow = nil })
	if err := d.Probe(t.Context()); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "private") {
		t.Errorf("%v", err)
	}
	inner := upstream(t, map[string][]reply{})
	outer := upstream(t, map[string][]reply{"GET catalog": {{status: 302, header: map[string]string{"Location": inner.URL}}}})
	if err := outer.driver().Probe(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a redirect: %v", err)
	}
	if len(inner.asked) != 0 || len(s.asked) != 0 {
		t.Error("it was called")
	}
}

func TestInspect(t *testing.T) {
	s := upstream(t, map[string][]reply{"GET instance": {{status: 200, body: `{}`}, {status: 404}, {status: 500}}})
	d := s.driver()
	i := s.order(d)
	if in, err := d.Inspect(t.Context(), i); err != nil || !in.Exists {
		t.Error(in, err)
	}
	if in, err := d.Inspect(t.Context(), i); err != nil || in.Exists {
		t.Error(in, err)
	}
	if _, err := d.Inspect(t.Context(), i); err == nil {
		t.Error("an upstream that fails knows nothing")
	}
	other := i
	other.Plan = catalog.Plan{Name: "x", Origin: "gone/gone"}
	if _, err := d.Inspect(t.Context(), other); fault.KindOf(err) != fault.Unprocessable {
		t.Error("an offering that cannot be asked for:", err)
	}
}

// TestInspectAsksForBindings: where the catalog says so, each binding is asked for; else nothing is told of them.
func TestInspectAsksForBindings(t *testing.T) {
	asks := strings.Replace(shelf, `"instances_retrievable":true`, `"instances_retrievable":true,"bindings_retrievable":true`, 1)
	s := upstream(t, map[string][]reply{
		"GET catalog": {{status: 200, body: asks}}, "GET instance": {{status: 200, body: `{}`}},
		"GET binding": {{status: 200, body: `{"credentials":{}}`}, {status: 404}, {status: 500}},
	})
	i := s.order(s.driver())
	i.Bindings = []string{"bnd_here", "bnd_gone"}
	in, err := s.driver().Inspect(t.Context(), i)
	if err != nil || !in.Exists || !maps.Equal(in.Sessions, map[string]int{"bnd_here": 0}) {
		t.Error(in, err)
	}
	if in, err = s.driver().Inspect(t.Context(), i); err == nil {
		t.Error("an upstream that fails knows nothing of bindings", in)
	}
	s = upstream(t, map[string][]reply{"GET instance": {{status: 200, body: `{}`}}})
	if in, err = s.driver().Inspect(t.Context(), i); err != nil || !in.Exists || in.Sessions != nil {
		t.Error("told of bindings that cannot be asked for:", in, err)
	}
}

// TestOddOwnersGetLegalIDs: what an upstream may refuse in an id is sent as an id derived from it, the same one in every field and request, and
// another one for another owner.
func TestOddOwnersGetLegalIDs(t *testing.T) {
	s := upstream(t, map[string][]reply{
		"PUT instance": {{status: 201, body: `{}`}}, "PUT binding": {{status: 201, body: `{"credentials":{}}`}}, "PATCH instance": {{status: 200, body: `{}`}},
	})
	d := s.driver()
	derived := map[string]string{}
	for _, odd := range []string{"a\nb", "a\tb", "größe \u202e", strings.Repeat("x", 300), "\xff", "it's"} {
		i := s.order(d)
		i.Owner = providers.Owner{Org: odd, Project: "p" + odd}
		if _, err := d.Provision(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		put := s.last("PUT instance")
		org, space := put.body["organization_guid"].(string), put.body["space_guid"].(string)
		if !plain(org) || !plain(space) || org == space || derived[org] != "" {
			t.Fatalf("%q became %q and %q", odd, org, space)
		}
		derived[org] = odd
		_, claim, _ := strings.Cut(put.header.Get("X-Broker-API-Originating-Identity"), " ")
		who, err := base64.StdEncoding.DecodeString(claim)
		about := put.body["context"].(map[string]any)
		if err != nil || string(who) != `{"organization_guid":"`+org+`","space_guid":"`+space+`"}` || about["organization_guid"] != org || about["space_guid"] != space {
			t.Errorf("%q: the identity is %s, the context %v", odd, who, about)
		}
		next := i
		next.Params = json.RawMessage(`{"size":2}`)
		if _, err := d.Update(t.Context(), i, next); err != nil {
			t.Fatal(err)
		}
		if before := s.last("PATCH instance").body["previous_values"].(map[string]any); before["organization_id"] != org || before["space_id"] != space {
			t.Errorf("%q: before, it was %v", odd, before)
		}
		if _, _, err := d.Bind(t.Context(), i, providers.Binding{ID: "bnd_1", App: odd}); err != nil {
			t.Fatal(err)
		}
		if b := s.last("PUT binding").body; b["app_guid"] != org || b["bind_resource"].(map[string]any)["app_guid"] != org {
			t.Errorf("%q: bound to %v", odd, b)
		}
	}
}

// plain tells whether an id is one that every broker takes.
func plain(id string) bool { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(id) }
