package s3_test

import (
	"testing"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/s3"
)

func TestNetworksAndTargets(t *testing.T) {
	d := s3.New(s3.Settings{
		Server: s3.At(place(server(t))), Networks: providers.Networks{"private": {Address: "https://objects.inside.example.com", CA: "PEM of the inside"}},
	})
	p := providers.New(providers.Settings{Name: "s3", Failures: 1000}, d, nil)
	if err := providertest.Networks(t.Context(), p, map[string]any{
		"host": "objects.inside.example.com", "port": 443, "endpoint": "https://objects.inside.example.com", "ca": "PEM of the inside",
	}); err != nil {
		t.Error(err)
	}
	if err := providertest.Targets(t.Context(), p); err != nil {
		t.Error(err)
	}
}
