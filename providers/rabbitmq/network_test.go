package rabbitmq_test

import (
	"testing"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/rabbitmq"
)

func TestNetworksAndTargets(t *testing.T) {
	d := rabbitmq.New(rabbitmq.Settings{
		Server:   rabbitmq.At(place(server(t))),
		Networks: providers.Networks{"private": {Address: "rabbit.inside.example.com:5671", TLS: "verify-full", CA: "PEM of the inside"}},
	})
	p := providers.New(providers.Settings{Name: "rabbit", Failures: 1000}, d, nil)
	if err := providertest.Networks(t.Context(), p, map[string]any{"host": "rabbit.inside.example.com", "port": 5671, "tls": true, "ca": "PEM of the inside"}); err != nil {
		t.Error(err)
	}
	if err := providertest.Targets(t.Context(), p); err != nil {
		t.Error(err)
	}
}
