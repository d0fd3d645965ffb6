package outbound

import (
	"net/netip"
	"strings"
	"syscall"

	"github.com/sutlerhq/sutler/internal/fault"
)

// forbidden are the ranges that are not the public internet: private, shared, loopback, link-local (cloud metadata), documentation, test,
// multicast, reserved, and the IPv6 ranges that carry IPv4 addresses inside where they are not unpacked by inner.
var forbidden = prefixes(`0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
 ::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8`)

// nat64 carries an IPv4 address in its last four bytes.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func prefixes(text string) []netip.Prefix {
	var out []netip.Prefix
	for _, f := range strings.Fields(text) {
		out = append(out, netip.MustParsePrefix(f))
	}
	return out
}

// inner unpacks IPv4 addresses in IPv6 clothes.
func inner(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

// Check tells whether the policy lets a connection go to a; the fault is Refused.
func (p Policy) Check(a netip.Addr) error {
	a = inner(a)
	for _, allowed := range p.Allow {
		if allowed.Contains(a) {
			return nil
		}
	}
	for _, f := range forbidden {
		if f.Contains(a) {
			return fault.Refused.Errorf("The host's address lies in a private or reserved range, where Sutler does not call.").
				WithHint("The operator can allow the range in `egress`.")
		}
	}
	return nil
}

// control is asked by the dialer for each address, after the name was resolved and before the connection is made.
func (p Policy) control(network, address string, _ syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return fault.Refused.Errorf("Only TCP connections may be made, not %q.", network)
	}
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fault.Refused.Wrap(err, "The host's address cannot be read.")
	}
	return p.Check(a.Addr())
}
