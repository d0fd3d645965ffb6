package osb

import (
	"context"
	"log/slog"

	"code.cloudfoundry.org/lager/v3"
)

// sink takes what brokerapi logs and lets through only names that cannot hold a secret: it would write parameters and contexts in clear.
type sink struct{ log *slog.Logger }

// Log writes one entry, at debug: what matters is logged by ourselves.
func (s sink) Log(f lager.LogFormat) {
	var attrs []slog.Attr
	for _, name := range []string{"instance-id", "binding-id", "correlation-id", "state"} {
		if v, ok := f.Data[name]; ok {
			attrs = append(attrs, slog.Any(name, v))
		}
	}
	s.log.LogAttrs(context.Background(), slog.LevelDebug, f.Message, attrs...)
}
