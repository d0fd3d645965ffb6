package providers

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/internal/fault"
)

// DefaultNetwork is where an app is that does not say its network.
const DefaultNetwork = "default"

// Network is how apps in one network reach a backend. What is empty is as the driver's settings or the administrator's address say.
type Network struct {
	Address string // host:port
	TLS     string // the mode given in the credentials, in the words of the kind
	CA      string // PEM of the authority that signed the server's certificate, given to apps
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

func (n Networks) names() []string {
	names := slices.Collect(maps.Keys(n))
	if _, ok := n[DefaultNetwork]; !ok {
		names = append(names, DefaultNetwork)
	}
	slices.Sort(names)
	return names
}
