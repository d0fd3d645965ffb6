package rabbitmq_test

import (
	"maps"
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

func TestEverythingOverTLS(t *testing.T) {
	s := server(t)
	stranger, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	settings := rabbitmq.Settings{TLS: true, CA: secret.ca, Server: rabbitmq.At(rabbitmq.Server{
		Admin: "https://" + s.User + ":" + s.Password + "@" + secret.admin, AMQP: secret.amqp,
	})}
	d := rabbitmq.New(settings)
	i := made(t, d, "ins_tls", tight())
	b := providers.Binding{ID: "bnd_tls", Seed: []byte("0123456789abcdef")}
	g, _, err := d.Bind(t.Context(), i, b)
	if err != nil {
		t.Fatal(err)
	}
	c := g.Credentials
	if c["tls"] != true || c["ca"] != secret.ca {
		t.Fatalf("credentials: tls %v, ca %v", c["tls"], c["ca"])
	}
	a, err := rabbitmq.Login(t.Context(), c)
	if err != nil {
		t.Fatalf("with the authority of the credentials: %v", err)
	}
	if err := a.Put(t.Context(), "kept", "yes"); err != nil {
		t.Error(err)
	}
	a.Close()
	wrong := map[string]string{"another authority": string(stranger.CA), "the machine's authorities": "", "no certificate": "PEM of nothing"}
	for name, ca := range wrong {
		other := maps.Clone(c)
		other["ca"] = ca
		if a, err := rabbitmq.Login(t.Context(), other); err == nil {
			a.Close()
			t.Errorf("an app with %s believed the server", name)
		}
		settings.CA = ca
		if err := rabbitmq.New(settings).Probe(t.Context()); err == nil {
			t.Errorf("with %s the market gave its password to a server that it cannot know", name)
		}
	}
	if p, err := d.Unbind(t.Context(), i, b); err != nil || !p.Done {
		t.Errorf("unbind: %v", err)
	}
}
