package providers_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/providertest"
)

func TestTransportBelievesOneAuthority(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	stranger, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	right := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	for name, c := range map[string]struct {
		ca string
		in bool
	}{"the server's": {right, true}, "both": {string(stranger.CA) + right, true}, "another": {string(stranger.CA), false}, "the machine's": {"", false}} {
		through, err := providers.Transport(c.ca)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := through.RoundTrip(r)
		if err == nil {
			answer.Body.Close()
		}
		if (err == nil) != c.in {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := providers.Transport("no certificate"); fault.KindOf(err) != fault.ProviderFailed {
		t.Errorf("a text that is no certificate: %v", err)
	}
}
