package client

import (
	"context"
	"net/http"
	"time"
)

// Target is where a provider can be measured from outside.
type Target struct {
	Provider string `json:"provider"`
	Region   string `json:"region"`
	Address  string `json:"address"`  // host:port
	Protocol string `json:"protocol"` // "tcp", "postgresql", "nats"…
}

// Probe is what a consumer shall measure.
type Probe struct {
	Binding  string `json:"binding"` // id
	Alias    string `json:"alias"`
	Instance string `json:"instance"` // name
	Address  string `json:"address"`
	Protocol string `json:"protocol"`
}

// Consumer is a running process of an app.
type Consumer struct {
	ID        string    `json:"id"`
	Host      string    `json:"host"`
	Version   string    `json:"version"` // of the environment it was started with
	Current   bool      `json:"current"` // that is the app's environment now
	StartedAt time.Time `json:"started_at"`
	SeenAt    time.Time `json:"seen_at"`
	Probes    []Probe   `json:"probes,omitempty"` // when it has just joined
}

// NewConsumer says that a process of an app has started.
type NewConsumer struct {
	Host string `json:"host" minLength:"1" maxLength:"255" doc:"Name of the host it runs on."`
}

// Sample is one measurement of a binding's backend, in microseconds.
type Sample struct {
	Binding   string `json:"binding" minLength:"1"`
	ConnectUs int64  `json:"connect_us" minimum:"0" doc:"Until the connection stood."`
	FirstUs   int64  `json:"first_us" minimum:"0" doc:"Until the first answer of its protocol."`
}

// ConsumerReport is what a consumer measured.
type ConsumerReport struct {
	Samples []Sample `json:"samples" maxItems:"1000"`
}

// Spread is what many measurements come to, as durations such as "1.2ms".
type Spread struct {
	Samples int    `json:"samples"`
	P50     string `json:"p50"`
	P95     string `json:"p95"`
}

// Latency is how far a binding's backend is from its app.
type Latency struct {
	Binding    string    `json:"binding"`
	App        string    `json:"app"` // name
	Alias      string    `json:"alias"`
	Now        Spread    `json:"now"`       // of the last quarter of an hour
	Before     Spread    `json:"before"`    // of the day before that
	Regressed  bool      `json:"regressed"` // now is clearly worse
	MeasuredAt time.Time `json:"measured_at"`
	Hosts      []string  `json:"hosts"`
}

// QuoteRequest asks what a month, or a part of one, would cost with each plan that fits.
type QuoteRequest struct {
	Want     string            `json:"want" minLength:"1" maxLength:"200" doc:"A kind or an offering; may carry the plan as OFFERING:PLAN."`
	Hours    int               `json:"hours,omitempty" minimum:"0" maximum:"730" doc:"730, the default, is a whole month."`
	Metrics  map[string]string `json:"metrics,omitempty" doc:"Quantity by metric over that time, decimals."`
	Region   string            `json:"region,omitempty"`
	Provider string            `json:"provider,omitempty"`
	Currency string            `json:"currency,omitempty" doc:"ISO 4217; the account's of your org when empty."`
	Org      string            `json:"org,omitempty"`
}

// Quote is what one plan would cost, before tax.
type Quote struct {
	Offering string      `json:"offering"`
	Kind     string      `json:"kind"`
	Plan     string      `json:"plan"`
	Provider string      `json:"provider"`
	Region   string      `json:"region"`
	Status   string      `json:"status"`
	Currency string      `json:"currency"`
	Total    string      `json:"total"`
	Lines    []QuoteLine `json:"lines"`
	RTT      string      `json:"rtt,omitempty"` // measured from where the command ran
}

// QuoteLine is one rate's part of a quote.
type QuoteLine struct {
	Description string `json:"description"`
	Quantity    string `json:"quantity"`
	Unit        string `json:"unit,omitempty"`
	Amount      string `json:"amount"`
}

// Targets lists where the providers of what is on sale can be measured.
func (c *Client) Targets(ctx context.Context) ([]Target, error) {
	return get[[]Target](ctx, c, path("marketplace", "targets"), nil)
}

// Quotes tells what each plan that fits would cost, the cheapest first.
func (c *Client) Quotes(ctx context.Context, q QuoteRequest) ([]Quote, error) {
	return post[[]Quote](ctx, c, path("quotes"), q)
}

// Latencies tells how far an instance is from each app that it is bound to.
func (c *Client) Latencies(ctx context.Context, at Place, instance string) ([]Latency, error) {
	return get[[]Latency](ctx, c, path("instances", instance, "latency"), at.query())
}

// JoinConsumer says that a process of an app has started, and gives what it shall measure.
func (c *Client) JoinConsumer(ctx context.Context, at Place, app string, n NewConsumer) (Consumer, error) {
	return call[Consumer](ctx, c, http.MethodPost, path("apps", app, "consumers"), at.query(), n)
}

// ReportConsumer brings what a consumer measured.
func (c *Client) ReportConsumer(ctx context.Context, id string, r ConsumerReport) (Consumer, error) {
	return call[Consumer](ctx, c, http.MethodPut, path("consumers", id), nil, r)
}

// LeaveConsumer says that a consumer has ended.
func (c *Client) LeaveConsumer(ctx context.Context, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, path("consumers", id), nil, nil)
	return err
}

// Consumers lists the running processes of an app.
func (c *Client) Consumers(ctx context.Context, at Place, app string) ([]Consumer, error) {
	return get[[]Consumer](ctx, c, path("apps", app, "consumers"), at.query())
}
