package providers

import (
	"cmp"
	"encoding/json"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
)

// DefaultNetwork is where an app is that does not say its network.
const DefaultNetwork = "default"

// Network is how apps in one network reach a backend. What is empty is as the driver's settings or the administrator's address say.
type Network struct {
	Address string // host:port; http(s)://host:port for kinds that are reached by it
	TLS     string // one of Modes
	CA      string // PEM of the authority that signed the server's certificate, given to apps
}

// Modes are the words for TLS in settings and credentials, as PostgreSQL calls them: from the one that asks for least on.
func Modes() []string { return []string{"disable", "prefer", "require", "verify-ca", "verify-full"} }

// Or fills what a network leaves open from another one.
func (n Network) Or(other Network) Network {
	return Network{Address: cmp.Or(n.Address, other.Address), TLS: cmp.Or(n.TLS, other.TLS), CA: cmp.Or(n.CA, other.CA)}
}

// Encrypted tells whether apps of this network may only speak TLS.
func (n Network) Encrypted() bool {
	return slices.Index(Modes(), n.TLS) >= slices.Index(Modes(), "require")
}

// Place takes the address apart. One that is malformed is fault.ProviderFailed: nothing that the app did.
func (n Network) Place() (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(n.Address)
	if err == nil {
		port, err = strconv.Atoi(digits)
	}
	if err != nil {
		return "", 0, fault.ProviderFailed.Wrap(err, "The address that apps are given for this backend is not host:port.")
	}
	return host, port, nil
}

// Endpoints are what the address comes to for whoever opens ways through a firewall; none when it is malformed.
func (n Network) Endpoints() []Endpoint {
	host, port, err := n.Place()
	if err != nil {
		return nil
	}
	return []Endpoint{{Host: host, Ports: []string{strconv.Itoa(port)}, Protocol: "tcp"}}
}

// Networks are the networks that apps may stand in, by name. Without "default" a binding that names none gets the zero Network.
type Networks map[string]Network

// Of gives the network that a binding asks for by its parameter "network". One that is not there is fault.Invalid.
func (n Networks) Of(params json.RawMessage) (Network, error) {
	var asked struct {
		Network string `json:"network"`
	}
	if len(params) > 0 {
		if err := json.Unmarshal(params, &asked); err != nil {
			return Network{}, fault.Invalid.Wrap(err, "The binding's parameters cannot be read.")
		}
	}
	if asked.Network == "" || asked.Network == DefaultNetwork {
		return n[DefaultNetwork], nil
	}
	found, ok := n[asked.Network]
	if !ok {
		return Network{}, fault.Invalid.Errorf("There is no network %q here.", asked.Network).WithHint("Networks are %s.", strings.Join(n.names(), ", "))
	}
	return found, nil
}

// Schema is the JSON schema of a binding's parameters: which networks it may name. It is nil when there is nothing to choose.
func (n Networks) Schema() json.RawMessage {
	names := n.names()
	if len(names) < 2 {
		return nil
	}
	schema, err := json.Marshal(map[string]any{
		"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": false,
		"properties": map[string]any{"network": map[string]any{
			"type": "string", "enum": names, "default": DefaultNetwork, "description": "The network that the app stands in.",
		}},
	})
	if err != nil {
		return nil // names are text: it cannot fail
	}
	return schema
}

// Offer gives plans whose bindings may name a network the schema that says so. Plans with a schema of their own keep it.
func (n Networks) Offer(plans []catalog.Plan) []catalog.Plan {
	plans = slices.Clone(plans)
	for i := range plans {
		if plans[i].Schemas.Bind == nil {
			plans[i].Schemas.Bind = n.Schema()
		}
	}
	return plans
}

func (n Networks) names() []string {
	names := slices.Collect(maps.Keys(n))
	if _, ok := n[DefaultNetwork]; !ok {
		names = append(names, DefaultNetwork)
	}
	slices.Sort(names)
	return names
}
