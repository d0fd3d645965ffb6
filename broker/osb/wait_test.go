package osb_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A fast plan whose provider is slow today is finished later, when the platform can wait.
func TestAFastPlanThatTakesLonger(t *testing.T) {
	t.Parallel()
	m := newMarketWaiting(t, time.Millisecond)
	hold := m.driver.Hang("provision")
	const i = "/v2/service_instances/late"
	first := m.is(m.ask("PUT", i+"?accepts_incomplete=true", m.order("sync", "")), 202)
	again := m.is(m.ask("PUT", i+"?accepts_incomplete=true", m.order("sync", "")), 202)
	if first.body["operation"] != again.body["operation"] {
		t.Fatal(first.raw, again.raw)
	}
	hold.Release()
	if s := m.done(i); s != "succeeded" {
		t.Fatal(s)
	}
}

// A platform that hangs up while it waits is no error of ours, and the work goes on.
func TestAPlatformThatHangsUp(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	hold := m.driver.Hang("provision")
	const i = "/v2/service_instances/i"
	ctx, hangUp := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, "PUT", i, strings.NewReader(m.order("sync", "")))
	r.SetBasicAuth("cf-eu", m.passwords["cf-eu"])
	r.Header.Set("X-Broker-API-Version", "2.17")
	w, answered := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(answered)
		m.server.Config.Handler.ServeHTTP(w, r)
	}()
	<-hold.Entered
	hangUp()
	<-answered
	hold.Release()
	if m.done(i) != "succeeded" {
		t.Fatal("the work did not go on")
	}
	if w.Code != 503 || strings.Contains(m.log.String(), "level=ERROR") {
		t.Fatal(w.Code, w.Body, m.log)
	}
}
