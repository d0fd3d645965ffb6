package api

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/strict"
	"github.com/sutlerhq/sutler/web/client"
)

// most is how many events one batch may hold.
const most = 5000

func (a *API) events() {
	register(a, route{method: http.MethodPost, path: "/usage/events", id: "usage-report", tag: "money", summary: "Report usage as CloudEvents 1.0: one (structured or binary mode) or a batch; all are stored or none."}, a.usageReport)
}

// report is a request in any of CloudEvents' three content modes. The headers are those of binary mode.
type report struct {
	ContentType string `header:"Content-Type"`
	SpecVersion string `header:"Ce-Specversion"`
	ID          string `header:"Ce-Id"`
	Source      string `header:"Ce-Source"`
	Type        string `header:"Ce-Type"`
	Subject     string `header:"Ce-Subject"`
	Time        string `header:"Ce-Time"`
	RawBody     []byte
}

func (a *API) usageReport(ctx context.Context, who identity.Principal, in *report) (*reply[client.Accepted], error) {
	wire, err := in.read()
	done := billing.Accepted{}
	if err == nil {
		done, err = a.ingest(ctx, who, wire)
	}
	if a.Ingested != nil {
		refused := 0
		if err != nil {
			refused = max(1, len(wire))
		}
		a.Ingested(done.Stored, done.Duplicate, refused)
	}
	return answer(client.Accepted{Stored: done.Stored, Duplicate: done.Duplicate}, err)
}

func (a *API) ingest(ctx context.Context, who identity.Principal, wire []cloudEvent) (billing.Accepted, error) {
	events := make([]catalog.Event, 0, len(wire))
	var wrong []fault.Field
	for n, w := range wire {
		event, problems := w.event(fmt.Sprintf("/%d", n))
		events, wrong = append(events, event), append(wrong, problems...)
	}
	if len(wrong) > 0 {
		return billing.Accepted{}, fault.Invalid.Errorf("The usage report does not fit; nothing of it was stored.").WithFields(wrong...)
	}
	return a.Ledger.Ingest(ctx, who, events)
}

// cloudEvent is what is read of a CloudEvent; extension attributes are let through and not kept.
type cloudEvent struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Time        string          `json:"time"`
	Data        json.RawMessage `json:"data"`
}

// read tells the content modes apart and gives the events of the request.
func (in *report) read() ([]cloudEvent, error) {
	kind, _, err := mime.ParseMediaType(in.ContentType)
	if err != nil {
		return nil, fault.Invalid.Errorf("The content type %q cannot be read.", in.ContentType)
	}
	if err := strict.JSON(in.RawBody); err != nil {
		return nil, err
	}
	var list []cloudEvent
	switch {
	case kind == "application/cloudevents-batch+json":
		err = json.Unmarshal(in.RawBody, &list)
	case kind == "application/cloudevents+json":
		list = make([]cloudEvent, 1)
		err = json.Unmarshal(in.RawBody, &list[0])
	case kind == "application/json" && in.SpecVersion != "":
		list = []cloudEvent{{SpecVersion: in.SpecVersion, ID: in.ID, Source: in.Source, Type: in.Type, Subject: in.Subject, Time: in.Time, Data: in.RawBody}}
	default:
		return nil, fault.Invalid.Errorf("The content type %q carries no CloudEvent.", kind).
			WithHint("Send application/cloudevents+json, application/cloudevents-batch+json, or application/json with ce- headers.")
	}
	switch {
	case err != nil:
		return nil, fault.Invalid.Errorf("The body is no CloudEvent in JSON: a field has the wrong type.")
	case len(list) > most:
		return nil, fault.TooLarge.Errorf("The batch holds %d events; at most %d fit.", len(list), most).WithHint("Send it in parts: an event that arrives twice is stored once.")
	}
	return list, nil
}

// event checks one event; at is where it stands, for the fields that are wrong.
func (w cloudEvent) event(at string) (catalog.Event, []fault.Field) {
	e := catalog.Event{Source: w.Source, ID: w.ID, Metric: w.Type, Instance: w.Subject}
	var wrong []fault.Field
	bad := func(path, reason string) { wrong = append(wrong, fault.Field{Path: at + path, Reason: reason}) }
	if w.SpecVersion != "1.0" {
		bad("/specversion", `must be "1.0"`)
	}
	for path, value := range map[string]string{"/id": w.ID, "/source": w.Source, "/type": w.Type, "/subject": w.Subject} {
		if value == "" {
			bad(path, "is missing")
		}
	}
	when, err := time.Parse(time.RFC3339Nano, w.Time)
	if err != nil {
		bad("/time", "must be an RFC 3339 time")
	}
	e.Time = when.UTC()
	var data struct {
		Value      *money.Decimal    `json:"value"`
		Dimensions map[string]string `json:"dimensions"`
	}
	if err := json.Unmarshal(w.Data, &data); err != nil || data.Value == nil {
		bad("/data", `must be {"value": a decimal as a string, "dimensions": {name: string}}`)
	}
	if data.Value != nil {
		e.Value = *data.Value
	}
	e.Dimensions = data.Dimensions
	return e, wrong
}
