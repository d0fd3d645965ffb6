// Package osbtest watches the platforms' protocol in tests: prism, a validating proxy, stands between a client and the broker and compares every
// request and answer with docs/osb-openapi.yaml.
//
// It owns starting and ending prism and reading what it found. It does not own the document, nor prism: scripts/prepare.sh installs that into
// .cache from scripts/prism.
package osbtest
