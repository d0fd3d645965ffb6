package osb

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
)

// synonyms are the names that brokers give to what we call by the first.
func synonyms() [][]string {
	return [][]string{
		{"uri", "url", "URI", "connection_uri", "connectionUri", "connection_string", "connectionString", "dsn"},
		{"host", "hostname", "server", "address"},
		{"port"},
		{"username", "user", "login"},
		{"password", "pass", "secret"},
		{"database", "dbname", "db", "db_name", "database_name"},
		{"vhost", "virtual_host"},
	}
}

// normal adds "uri" and its parts to credentials, as far as they can be derived from what is there. Nothing that the upstream said is changed.
func normal(given map[string]any, kind catalog.Kind) map[string]any {
	out := maps.Clone(given)
	for _, names := range synonyms() {
		for _, name := range names[1:] {
			_, there := out[names[0]]
			if v := given[name]; !there && one(v) && (names[0] != "uri" || address(v) != nil) {
				out[names[0]] = v
			}
		}
	}
	u := address(out["uri"])
	if u == nil {
		if built := build(out, kind); built != "" {
			if _, there := out["uri"]; !there {
				out["uri"] = built
			}
		}
		return out
	}
	password, _ := u.User.Password()
	for part, value := range map[string]string{
		"host": u.Hostname(), "port": u.Port(), "username": u.User.Username(), "password": password, nameOfPath(kind): strings.Trim(u.Path, "/"),
	} {
		if _, there := out[part]; !there && part != "" && value != "" {
			out[part] = value
		}
	}
	return out
}

// one tells whether a value is a text or a number that says something.
func one(v any) bool {
	switch v := v.(type) {
	case string:
		return v != ""
	case float64, json.Number:
		return true
	}
	return false
}

// address reads a value as an address with a scheme and a host; nil when it is none.
func address(v any) *url.URL {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil
	}
	return u
}

// nameOfPath is what the path of a kind's address names.
func nameOfPath(kind catalog.Kind) string {
	switch kind {
	case "rabbitmq":
		return "vhost"
	case "postgresql", "mysql", "redis":
		return "database"
	}
	return ""
}

// build puts an address together when the kind's customary one is known and the parts are there.
func build(c map[string]any, kind catalog.Kind) string {
	scheme := map[catalog.Kind]string{"postgresql": "postgres", "mysql": "mysql", "redis": "redis", "rabbitmq": "amqp", "nats": "nats"}[kind]
	host, port := text(c["host"]), text(c["port"])
	if scheme == "" || host == "" || port == "" {
		return ""
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port)}
	if password := text(c["password"]); password != "" {
		u.User = url.UserPassword(text(c["username"]), password)
	} else if name := text(c["username"]); name != "" {
		u.User = url.User(name)
	}
	if path := text(c[nameOfPath(kind)]); path != "" {
		u.Path = "/" + path
	}
	return u.String()
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64, json.Number:
		return fmt.Sprint(v)
	}
	return ""
}
