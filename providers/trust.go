package providers

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"

	"github.com/sutlerhq/sutler/internal/fault"
)

// Authority is whom an app believes about the server that its credentials lead to: the authority in their "ca", or those of its machine (nil)
// when they name none. What is no certificate in PEM form is fault.ProviderFailed.
func Authority(credentials map[string]any) (*x509.CertPool, error) {
	ca, _ := credentials["ca"].(string)
	return Roots(ca)
}

// Roots reads the PEM of those whose signature on a server's certificate counts; nil, which stands for the machine's own list, for no text.
// A text without a certificate is fault.ProviderFailed: nobody else is believed instead.
func Roots(pem string) (*x509.CertPool, error) {
	if pem == "" {
		return nil, nil //nolint:nilnil // crypto/tls takes nil for the machine's authorities
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, fault.ProviderFailed.Errorf("The authority of the server's certificate is no certificate in PEM form.")
	}
	return pool, nil
}

// Transport is a way to HTTP servers that believes an authority, as Roots reads it.
func Transport(pem string) (http.RoundTripper, error) {
	roots, err := Roots(pem)
	if err != nil {
		return nil, err
	}
	trust := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	return &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4}, nil
}
