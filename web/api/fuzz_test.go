package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// FuzzEvents: a usage report in any of its modes is refused as Invalid, or read; an event without a complaint has everything that billing needs.
func FuzzEvents(f *testing.F) {
	one := `{"specversion":"1.0","id":"1","source":"/s","type":"requests","subject":"ins_1","time":"2026-01-01T00:00:00Z","data":{"value":"12.5","dimensions":{"a":"b"}}}`
	for kind, body := range map[string]string{
		"application/cloudevents+json": one, "application/cloudevents-batch+json": "[" + one + "]", "application/json": `{"value":"-1e3"}`, "application/cloudevents+json; charset=utf-8": `{"data":null}`,
		"text/plain": `{}`, "": `[]`, "a/b; =": `{}`,
	} {
		f.Add(kind, "1.0", "2026-01-01T00:00:00.000000001+02:00", []byte(body))
	}
	f.Add("application/cloudevents+json", "", "", []byte(`{"data":{"value":1}}`))
	f.Add("application/cloudevents-batch+json", "", "", []byte(`[null,{"id":1}]`))
	f.Fuzz(func(t *testing.T, kind, version, at string, body []byte) {
		in := report{ContentType: kind, SpecVersion: version, ID: "1", Source: "/s", Type: "requests", Subject: "ins_1", Time: at, RawBody: body}
		list, err := in.read()
		if k := fault.KindOf(err); err != nil && k != fault.Invalid && k != fault.TooLarge {
			t.Fatalf("%s: %v", k, err)
		}
		for _, w := range list {
			e, wrong := w.event("")
			if len(wrong) > 0 {
				continue
			}
			if e.ID == "" || e.Source == "" || e.Metric == "" || e.Instance == "" || e.Time.Location() != time.UTC {
				t.Fatalf("%+v", e)
			}
			text, err := json.Marshal(e.Value)
			if err != nil || !strings.HasPrefix(string(text), `"`) {
				t.Fatalf("the value %s, %v", text, err)
			}
		}
	})
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"90m", "36h", "31d", "0s", "-1h", "-5d", "99999999999999999999d", "1d2h", "d", "366d", "367d", "+3d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := duration(s)
		if err != nil && fault.KindOf(err) != fault.Invalid || err == nil && (d <= 0 || d > farthest) {
			t.Fatalf("%q: %s, %v", s, d, err)
		}
	})
}
