package main

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/sutlerhq/sutler/broker/osb/osbtest"
	"github.com/sutlerhq/sutler/web/client"
	peer "sigs.k8s.io/go-open-service-broker-client/v2"
)

// platformSide is the client that Kubernetes' service catalog speaks with, before a real market; prism stands between them and answers for what
// violates docs/osb-openapi.yaml, on either side.
type platformSide struct {
	peer.Client
	t       *testing.T
	market  *process
	url     string // of prism
	about   devJSON
	service string
	plans   map[string]string
}

func newPlatformSide(t *testing.T) *platformSide {
	t.Helper()
	p, about := runDevMarket(t, t.TempDir(), "--with-fake")
	s := &platformSide{t: t, market: p, url: watched(t, about.OSB.URL), about: about, plans: map[string]string{}}
	c := peer.DefaultClientConfiguration()
	c.Name, c.URL, c.EnableAlphaFeatures = "sutler", s.url, true
	c.AuthConfig = &peer.AuthConfig{BasicAuthConfig: &peer.BasicAuthConfig{Username: about.OSB.Username, Password: about.OSB.Password}}
	var err error
	if s.Client, err = peer.NewClient(c); err != nil {
		t.Fatal(err)
	}
	p.await(t, "catalog with the fake offering", func() bool {
		list, err := s.GetCatalog()
		s.ok(err)
		for _, service := range list.Services {
			if service.Name == "fake" {
				s.service = service.ID
				for _, plan := range service.Plans {
					s.plans[plan.Name] = plan.ID
				}
			}
		}
		return s.service != ""
	})
	return s
}

// TestAPlatformsClient drives the client of Kubernetes' service catalog through whole lives: with work that is done when it is answered, with work
// that takes its time, and with too much of it at once.
func TestAPlatformsClient(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	s := newPlatformSide(t)
	t.Run("sync", s.inSync)
	t.Run("async", s.inAsync)
	t.Run("in a hurry", s.inAHurry)
}

// watched puts prism before a broker, strict on both sides. Where it is not installed the client goes directly, but not in continuous integration.
func watched(t *testing.T, broker string) string {
	t.Helper()
	if _, err := osbtest.Tool("prism"); err != nil && os.Getenv("CI") == "" {
		t.Log(err)
		return broker
	}
	p, err := osbtest.Start(broker, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p.URL
}

func (s *platformSide) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// is fails the test unless the client recognises the error.
func (s *platformSide) is(err error, known func(error) bool) {
	s.t.Helper()
	if !known(err) {
		s.t.Fatalf("the client does not know what this is: %v", err)
	}
}

func status(code int) func(error) bool {
	return func(err error) bool { e, ok := peer.IsHTTPError(err); return ok && e.StatusCode == code }
}

func (s *platformSide) order(id, plan string) *peer.ProvisionRequest {
	return &peer.ProvisionRequest{
		InstanceID: id, ServiceID: s.service, PlanID: s.plans[plan], OrganizationGUID: "o-1", SpaceGUID: "s-1", AcceptsIncomplete: plan != "sync",
		Context:             map[string]any{"platform": "kubernetes", "namespace": "shop", "clusterid": "c-1", "instance_name": id},
		OriginatingIdentity: &peer.OriginatingIdentity{Platform: "kubernetes", Value: `{"username":"ada","uid":"1","groups":["g"],"extra":{}}`},
	}
}

func (s *platformSide) bind(instance, id, plan, app string) *peer.BindRequest {
	return &peer.BindRequest{
		InstanceID: instance, BindingID: id, ServiceID: s.service, PlanID: s.plans[plan], AcceptsIncomplete: plan != "sync",
		BindResource: &peer.BindResource{AppGUID: &app}, Context: map[string]any{"platform": "kubernetes", "namespace": "shop", "clusterid": "c-1"},
	}
}

func (s *platformSide) unbind(instance, id, plan string) *peer.UnbindRequest {
	return &peer.UnbindRequest{InstanceID: instance, BindingID: id, ServiceID: s.service, PlanID: s.plans[plan], AcceptsIncomplete: plan != "sync"}
}

func (s *platformSide) remove(id, plan string) *peer.DeprovisionRequest {
	return &peer.DeprovisionRequest{InstanceID: id, ServiceID: s.service, PlanID: s.plans[plan], AcceptsIncomplete: plan != "sync"}
}

// in is the same side of a subtest.
func (s *platformSide) in(t *testing.T) *platformSide {
	t.Parallel()
	one := *s
	one.t = t
	return &one
}

// polled asks for the last operation until it has ended, as told; key is what the accepting answer named.
func (s *platformSide) polled(instance string, key *peer.OperationKey) {
	s.t.Helper()
	if key == nil || *key == "" {
		s.t.Fatal("an accepted request named no operation")
	}
	s.market.await(s.t, "end of "+string(*key), func() bool {
		last, err := s.PollLastOperation(&peer.LastOperationRequest{InstanceID: instance, ServiceID: &s.service, OperationKey: key})
		s.ok(err)
		return s.ended(last)
	})
}

func (s *platformSide) polledBinding(instance, id string, key *peer.OperationKey) {
	s.t.Helper()
	if key == nil || *key == "" {
		s.t.Fatal("an accepted request named no operation")
	}
	s.market.await(s.t, "end of "+string(*key), func() bool {
		last, err := s.PollBindingLastOperation(&peer.BindingLastOperationRequest{InstanceID: instance, BindingID: id, ServiceID: &s.service, OperationKey: key})
		s.ok(err)
		return s.ended(last)
	})
}

// gone deletes once more: this client takes 410 for a delete that is done and does not tell it from 200, so the status is looked at by hand too.
func (s *platformSide) gone(i, plan string) {
	s.t.Helper()
	_, err := s.DeprovisionInstance(s.remove(i, plan))
	s.ok(err)
	code, body := s.byHand(http.MethodDelete, "/v2/service_instances/"+i+"?accepts_incomplete=true&service_id="+s.service+"&plan_id="+s.plans[plan], "")
	if code != http.StatusGone {
		s.t.Errorf("a delete of what is gone was answered %d: %s", code, body)
	}
}

// byHand sends what the client cannot, through the same proxy.
func (s *platformSide) byHand(method, path, body string) (int, string) {
	return askOSB(s.t.Context(), site{url: s.url}, client.Platform{Name: s.about.OSB.Username, Password: s.about.OSB.Password}, method, path, body)
}

func (s *platformSide) ended(last *peer.LastOperationResponse) bool {
	s.t.Helper()
	switch last.State {
	case peer.StateInProgress:
		if last.PollDelay == nil {
			s.t.Error("no Retry-After while in progress")
		}
		return false
	case peer.StateSucceeded:
		return true
	}
	s.t.Fatalf("the operation ended as %s: %v", last.State, last.Description)
	return false
}

// inSync goes through a whole life with work that is done when it is answered.
func (s *platformSide) inSync(t *testing.T) {
	s = s.in(t)
	const i = "sync-1"
	made, err := s.ProvisionInstance(s.order(i, "sync"))
	s.ok(err)
	if made.Async || made.DashboardURL == nil || *made.DashboardURL == "" {
		t.Errorf("provisioned: %+v", made)
	}
	_, err = s.ProvisionInstance(s.order(i, "sync"))
	s.ok(err)
	other := s.order(i, "maintained")
	_, err = s.ProvisionInstance(other)
	s.is(err, peer.IsConflictError)
	got, err := s.GetInstance(&peer.GetInstanceRequest{InstanceID: i})
	s.ok(err)
	if got.PlanID != s.plans["sync"] || got.ServiceID != s.service {
		t.Errorf("the instance is %+v", got)
	}

	rotatable := s.plans["rotatable"]
	changed, err := s.UpdateInstance(&peer.UpdateInstanceRequest{
		InstanceID: i, ServiceID: s.service, PlanID: &rotatable, PreviousValues: &peer.PreviousValues{PlanID: s.plans["sync"], ServiceID: s.service},
	})
	s.ok(err)
	if got, err = s.GetInstance(&peer.GetInstanceRequest{InstanceID: i}); err != nil || changed.Async || got.PlanID != rotatable {
		t.Errorf("after the update: %+v, %+v, %v", changed, got, err)
	}
	_, err = s.UpdateInstance(&peer.UpdateInstanceRequest{InstanceID: i, ServiceID: s.service, Parameters: map[string]any{"size": 3}})
	s.is(err, status(http.StatusBadRequest))

	s.bindings(i)
	gone, err := s.DeprovisionInstance(s.remove(i, "rotatable"))
	s.ok(err)
	if gone.Async {
		s.polled(i, gone.OperationKey)
	}
	s.gone(i, "rotatable")
	_, err = s.GetInstance(&peer.GetInstanceRequest{InstanceID: i})
	s.is(err, status(http.StatusNotFound))
}

// bindings goes through the life of one binding of an instance of the plan rotatable, and of the one that replaces it.
func (s *platformSide) bindings(i string) {
	s.t.Helper()
	bound, err := s.Bind(s.bind(i, "b-1", "rotatable", "app-1"))
	s.ok(err)
	again, err := s.Bind(s.bind(i, "b-1", "rotatable", "app-1"))
	s.ok(err)
	fetched, err := s.GetBinding(&peer.GetBindingRequest{InstanceID: i, BindingID: "b-1"})
	s.ok(err)
	want := fmt.Sprint(bound.Credentials)
	if bound.Credentials["uri"] == nil || fmt.Sprint(again.Credentials) != want || fmt.Sprint(fetched.Credentials) != want {
		s.t.Error("the credentials are not the same each time")
	}
	_, err = s.Bind(s.bind(i, "b-1", "rotatable", "app-2"))
	s.is(err, peer.IsConflictError)

	code, body := s.byHand(http.MethodPut, "/v2/service_instances/"+i+"/service_bindings/b-2",
		fmt.Sprintf(`{"service_id":%q,"plan_id":%q,"predecessor_binding_id":"b-1"}`, s.service, s.plans["rotatable"])) // the client is older than rotation
	if code != http.StatusCreated {
		s.t.Fatalf("the rotation was answered %d: %s", code, body)
	}
	fresh, err := s.GetBinding(&peer.GetBindingRequest{InstanceID: i, BindingID: "b-2"})
	s.ok(err)
	if fetched, err = s.GetBinding(&peer.GetBindingRequest{InstanceID: i, BindingID: "b-1"}); err != nil || fmt.Sprint(fetched.Credentials) != want || fmt.Sprint(fresh.Credentials) == want {
		s.t.Errorf("after the rotation both have to be valid, and differ: %v", err)
	}
	for _, b := range []string{"b-1", "b-2"} {
		gone, err := s.Unbind(s.unbind(i, b, "rotatable"))
		s.ok(err)
		if gone.Async {
			s.polledBinding(i, b, gone.OperationKey)
		}
		_, err = s.Unbind(s.unbind(i, b, "rotatable")) // 410, which this client takes for an unbind that is done
		s.ok(err)
		_, err = s.GetBinding(&peer.GetBindingRequest{InstanceID: i, BindingID: b})
		s.is(err, status(http.StatusNotFound))
	}
}

// inAsync goes through a whole life with work that takes its time.
func (s *platformSide) inAsync(t *testing.T) {
	s = s.in(t)
	const i = "async-1"
	hasty := s.order(i, "async")
	hasty.AcceptsIncomplete = false
	_, err := s.ProvisionInstance(hasty)
	s.is(err, peer.IsAsyncRequiredError)

	order := s.order(i, "async")
	order.Parameters = map[string]any{"size": 3, "label": "x"}
	made, err := s.ProvisionInstance(order)
	s.ok(err)
	again, err := s.ProvisionInstance(order)
	s.ok(err)
	if !made.Async || again.Async && *again.OperationKey != *made.OperationKey {
		t.Errorf("provisioned: %+v, then %+v", made, again)
	}
	s.polled(i, made.OperationKey)

	size := func() any {
		t.Helper()
		got, err := s.GetInstance(&peer.GetInstanceRequest{InstanceID: i})
		s.ok(err)
		return got.Parameters["size"]
	}
	if size() != 3.0 {
		t.Errorf("size is %v", size())
	}
	update := &peer.UpdateInstanceRequest{InstanceID: i, ServiceID: s.service, Parameters: map[string]any{"size": 5}}
	_, err = s.UpdateInstance(update)
	s.is(err, peer.IsAsyncRequiredError)
	update.AcceptsIncomplete = true
	changed, err := s.UpdateInstance(update)
	s.ok(err)
	s.polled(i, changed.OperationKey)
	if size() != 5.0 {
		t.Errorf("after the update size is %v", size())
	}
	update.Parameters = map[string]any{"size": 99}
	_, err = s.UpdateInstance(update)
	s.is(err, status(http.StatusBadRequest))

	s.asyncBinding(i)
	gone, err := s.DeprovisionInstance(s.remove(i, "async"))
	s.ok(err)
	if !gone.Async {
		t.Error("the delete was answered at once")
	}
	s.polled(i, gone.OperationKey)
	s.gone(i, "async")
}

func (s *platformSide) asyncBinding(i string) {
	s.t.Helper()
	request := s.bind(i, "b", "async", "app-1")
	request.AcceptsIncomplete = false
	_, err := s.Bind(request)
	s.is(err, peer.IsAsyncRequiredError)
	request.AcceptsIncomplete = true
	bound, err := s.Bind(request)
	s.ok(err)
	if bound.Async {
		s.polledBinding(i, "b", bound.OperationKey)
	}
	got, err := s.GetBinding(&peer.GetBindingRequest{InstanceID: i, BindingID: "b"})
	s.ok(err)
	if again, err := s.Bind(request); err != nil || again.Async || fmt.Sprint(again.Credentials) != fmt.Sprint(got.Credentials) {
		s.t.Errorf("a bind that was sent again: %+v, %v", again, err)
	}
	gone, err := s.Unbind(s.unbind(i, "b", "async"))
	s.ok(err)
	if gone.Async {
		s.polledBinding(i, "b", gone.OperationKey)
	}
	_, err = s.GetBinding(&peer.GetBindingRequest{InstanceID: i, BindingID: "b"})
	s.is(err, status(http.StatusNotFound))
}

// inAHurry asks too much at once, and takes back what is still being made.
func (s *platformSide) inAHurry(t *testing.T) {
	s = s.in(t)
	const i = "slow-1"
	_, err := s.ProvisionInstance(s.order(i, "slow"))
	s.ok(err)
	_, err = s.GetInstance(&peer.GetInstanceRequest{InstanceID: i})
	s.is(err, status(http.StatusNotFound))
	_, err = s.Bind(s.bind(i, "b", "slow", "app-1"))
	s.is(err, peer.IsConcurrencyError)
	_, err = s.UpdateInstance(&peer.UpdateInstanceRequest{InstanceID: i, ServiceID: s.service, PlanID: new(s.plans["rotatable"]), AcceptsIncomplete: true})
	s.is(err, peer.IsConcurrencyError)
	gone, err := s.DeprovisionInstance(s.remove(i, "slow"))
	s.ok(err)
	s.polled(i, gone.OperationKey)
	_, err = s.ProvisionInstance(s.order("never", "failing"))
	if err == nil {
		s.market.await(t, "failure", func() bool {
			last, err := s.PollLastOperation(&peer.LastOperationRequest{InstanceID: "never"})
			s.ok(err)
			return last.State == peer.StateFailed && last.Description != nil
		})
		return
	}
	s.is(err, status(http.StatusBadGateway))
}
