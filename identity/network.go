package identity

import "net/netip"

// Network is what guesses are counted by: the address itself of an IPv4 caller, the /64 of an IPv6 one, who has all of it to himself.
// A text that is no address is its own network.
func Network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}
