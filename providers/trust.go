package providers

import (
	"crypto/x509"

	"github.com/sutlerhq/sutler/internal/fault"
)

// Authority is whom an app believes about the server that its credentials lead to: the authority in their "ca", or those of its machine (nil)
// when they name none. What is no certificate in PEM form is fault.ProviderFailed.
func Authority(credentials map[string]any) (*x509.CertPool, error) {
	ca, _ := credentials["ca"].(string)
	if ca == "" {
		return nil, nil //nolint:nilnil // the machine's own authorities
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(ca)) {
		return nil, fault.ProviderFailed.Errorf("The authority in the credentials is no certificate in PEM form.")
	}
	return pool, nil
}
