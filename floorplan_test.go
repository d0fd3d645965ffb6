package sutler_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sutlerhq/sutler/"

// doors says which rooms a room may import. "room/*" means the room and all below it. Drawers (internal/*) and catalog/money are open to every
// room; what is not listed is shut. cmd/sutler wires everything and is not listed.
var doors = map[string][]string{
	"web":                    {"web/api", "web/pages", "web/problem", "identity", "identity/directory"},
	"web/api":                {"web/problem", "web/client", "broker", "broker/environ", "billing", "billing/focus", "identity/*", "providers", "catalog"},
	"web/pages":              {"web/pages/look", "web/problem", "broker", "broker/environ", "billing", "billing/focus", "identity/*", "providers", "catalog"},
	"web/pages/look":         {"catalog"},
	"web/problem":            {},
	"web/client":             {},
	"broker":                 {"providers", "providers/latency", "catalog", "identity"},
	"broker/osb":             {"broker", "identity", "identity/directory", "catalog"},
	"broker/osb/osbtest":     {},
	"broker/environ":         {},
	"billing":                {"billing/rating", "catalog", "identity"},
	"billing/rating":         {"catalog"},
	"billing/stripe":         {"billing"},
	"billing/focus":          {"billing"},
	"identity":               {},
	"identity/directory":     {"identity"},
	"identity/signin":        {"identity", "identity/directory"},
	"identity/issuer":        {"identity", "identity/directory"},
	"providers":              {"catalog", "providers/latency"},
	"providers/local":        {},
	"providers/latency":      {},
	"providers/providertest": {"providers", "providers/local", "providers/latency", "catalog"},
	"catalog":                {},
	"catalog/money":          {},
	"migrations":             {},
}

// driverDoors are the doors of every package below providers that is not listed by itself: a driver.
var driverDoors = doors["providers/providertest"]

// testDoors are open to every _test.go file besides.
var testDoors = []string{"providers/fake", "providers/providertest", "providers/local"}

// closed rooms may not even open drawers: outsiders import the client, and a guestbook shows what any app could do.
var closed = []string{"web/client", "examples"}

// foreign says which rooms a foreign library lives in, by the longest prefix of its import path. An empty list means tests alone.
var foreign = map[string][]string{
	"code.cloudfoundry.org/lager":               {"broker/osb"},
	"github.com/pivotal-cf/brokerapi":           {"broker/osb"},
	"github.com/coreos/go-oidc":                 {"identity/signin"},
	"golang.org/x/oauth2":                       {"identity/signin", "cmd/sutler"},
	"github.com/zitadel/":                       {"identity/issuer"},
	"github.com/go-jose/go-jose":                {"identity/issuer", "identity/signin"},
	"golang.org/x/text":                         {"identity/issuer"}, // a type in zitadel/oidc's storage interface
	"github.com/alexedwards/argon2id":           {"identity/directory"},
	"github.com/alexedwards/scs":                {"web"},
	"github.com/stripe/stripe-go":               {"billing/stripe"},
	"gorm.io/":                                  {"internal/database", "internal/tasks", "internal/audit"}, // and store files, see below
	"github.com/glebarez/":                      {"internal/database"},
	"github.com/jackc/pgx":                      {"internal/database", "internal/tasks", "providers/postgres", "examples"},
	"github.com/pressly/goose":                  {"internal/schema"},
	"github.com/tink-crypto/":                   {"internal/seal"},
	"github.com/santhosh-tekuri/jsonschema":     {"internal/strict"},
	"github.com/cockroachdb/apd":                {"catalog/money"},
	"github.com/labstack/echo":                  {"web", "web/api", "web/pages"},
	"github.com/danielgtaylor/huma":             {"web/api"},
	"github.com/sony/gobreaker":                 {"providers"},
	"github.com/nats-io/":                       {"providers/nats", "examples"},
	"github.com/go-sql-driver/mysql":            {"providers/mysql"},
	"github.com/redis/go-redis":                 {"providers/redis"},
	"github.com/michaelklishin/rabbit-hole":     {"providers/rabbitmq"},
	"github.com/rabbitmq/amqp091-go":            {"providers/rabbitmq"},
	"github.com/minio/minio-go":                 {"providers/s3", "internal/vault"},
	"sigs.k8s.io/go-open-service-broker-client": {},
	"github.com/prometheus/":                    {"web", "cmd/sutler"},
	"github.com/spf13/":                         {"cmd/sutler"},
	"github.com/jedib0t/go-pretty":              {"cmd/sutler"},
	"github.com/goccy/go-yaml":                  {"internal/conf", "cmd/sutler"},
	"github.com/zalando/go-keyring":             {"cmd/sutler"},
	"github.com/cli/browser":                    {"cmd/sutler"},
	"golang.org/x/term":                         {"cmd/sutler"},
	"golang.org/x/time":                         {"web", "broker/osb", "identity/issuer"},
	"golang.org/x/sys":                          {"internal/database", "providers/local"},
	"github.com/go-chi/chi":                     {}, // brokerapi's router, walked by the permission matrix
	"github.com/chromedp/":                      {},
	"github.com/rogpeppe/go-internal":           {},
	"github.com/compose-spec/compose-go":        {},
	"pgregory.net/rapid":                        {},
	"go.uber.org/goleak":                        {},
}

// source is one Go file with what it imports.
type source struct {
	file    string // relative to the module, with slashes
	imports []string
}

func (s source) room() string { return path.Dir(s.file) }
func (s source) test() bool   { return strings.HasSuffix(s.file, "_test.go") }
func (s source) store() bool {
	name := path.Base(s.file)
	return name == "store.go" || strings.HasPrefix(name, "store_")
}

// breaches lists every import that goes through no door.
func breaches(files []source) []string {
	var out []string
	for _, s := range files {
		for _, i := range s.imports {
			if why := s.breach(i); why != "" {
				out = append(out, s.file+" imports "+i+": "+why)
			}
		}
	}
	return out
}

func (s source) breach(imported string) string {
	if target, ours := strings.CutPrefix(imported, module); ours {
		return s.inner(target)
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return "" // the standard library
	}
	return s.outer(imported)
}

func (s source) inner(target string) string {
	room := s.room()
	switch {
	case room == "." || room == "cmd/sutler" || under(target, room) && s.test():
		return ""
	case s.test() && (slices.Contains(testDoors, target) || under(target, "internal") || under(room, "web")):
		return "" // the front door's tests walk through the whole house
	case slices.ContainsFunc(closed, func(c string) bool { return under(room, c) }):
		if under(room, "examples") && target == "web/client" {
			return ""
		}
		return "this room stands alone, so that outsiders may use it"
	case under(room, "internal"):
		if under(target, "internal") || target == "migrations" || room == "internal/database/dbtest" && target == "providers/local" {
			return ""
		}
		return "a drawer knows no room"
	case under(target, "internal") || target == "catalog/money":
		return ""
	}
	open, listed := doors[room]
	if !listed && under(room, "providers") {
		open, listed = driverDoors, true
	}
	if !listed {
		return "the room " + room + " is not in the floor plan"
	}
	for _, door := range open {
		if target == door || strings.HasSuffix(door, "/*") && under(target, strings.TrimSuffix(door, "/*")) {
			return ""
		}
	}
	return "there is no door from " + room + " to " + target
}

func (s source) outer(imported string) string {
	var rooms []string
	longest := ""
	for library, at := range foreign {
		if strings.HasPrefix(imported, library) && len(library) > len(longest) {
			longest, rooms = library, at
		}
	}
	switch {
	case longest == "":
		return "this library has no room; give it one in floorplan_test.go"
	case s.test() || longest == "gorm.io/" && s.store():
		return ""
	case slices.ContainsFunc(rooms, func(r string) bool { return s.room() == r || r == "examples" && under(s.room(), r) }):
		return ""
	}
	return "this library lives in " + strings.Join(rooms, ", ") + " only"
}

func under(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := fs.WalkDir(os.DirFS("."), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && p != "." || d.Name() == "testdata" || d.Name() == "tools") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		s := source{file: p}
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, name)
		}
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFloorPlan(t *testing.T) {
	files := sources(t)
	if len(files) < 50 {
		t.Fatalf("only %d files were read: the walk is broken", len(files))
	}
	for _, b := range breaches(files) {
		t.Error(b)
	}
}

func TestFloorPlanCatchesAPlantedBreach(t *testing.T) {
	for _, c := range []struct {
		file, imports string
		caught        bool
	}{
		{"broker/bind.go", module + "billing", true},
		{"billing/close.go", module + "broker", true},
		{"billing/rating/rate.go", module + "billing", true},
		{"broker/provision.go", "gorm.io/gorm", true},
		{"broker/store.go", "gorm.io/gorm", false},
		{"broker/broker.go", "github.com/stripe/stripe-go/v76", true},
		{"broker/osb/bind.go", "github.com/pivotal-cf/brokerapi/v10", false},
		{"web/api/bind.go", "github.com/pivotal-cf/brokerapi/v10", true},
		{"internal/tasks/run.go", module + "broker", true},
		{"web/client/client.go", module + "internal/fault", true},
		{"web/client/client.go", "github.com/labstack/echo/v4", true},
		{"providers/postgres/bind.go", module + "broker", true},
		{"providers/postgres/bind.go", module + "providers/local", false},
		{"providers/provider.go", module + "providers/fake", true},
		{"broker/bind_test.go", module + "providers/fake", false},
		{"identity/can.go", module + "identity/directory", true},
		{"catalog/plan.go", "github.com/nobody/knows", true},
		{"cellar/door.go", module + "catalog", true},
		{"cmd/sutler/serve.go", module + "billing", false},
		{"catalog/offering.go", "encoding/json", false},
	} {
		found := breaches([]source{{c.file, []string{c.imports}}})
		if (len(found) > 0) != c.caught {
			t.Errorf("%s importing %s: caught %v, want %v", c.file, c.imports, found, c.caught)
		}
	}
}

// TestImportChain keeps the house shallow: from any room, at most seven rooms stand in a row (drawers not counted).
func TestImportChain(t *testing.T) {
	edges := map[string]map[string]bool{}
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		for _, i := range s.imports {
			if target, ours := strings.CutPrefix(i, module); ours && !under(target, "internal") && !under(s.room(), "internal") {
				if edges[s.room()] == nil {
					edges[s.room()] = map[string]bool{}
				}
				edges[s.room()][target] = true
			}
		}
	}
	var longest func(room string) []string
	longest = func(room string) []string {
		var best []string
		for next := range edges[room] {
			if chain := longest(next); len(chain) > len(best) || len(chain) == len(best) && slices.Compare(chain, best) < 0 {
				best = chain
			}
		}
		return append([]string{room}, best...)
	}
	for room := range edges {
		if chain := longest(room); len(chain) > 7 {
			t.Errorf("the chain is %d rooms long: %s", len(chain), strings.Join(chain, " → "))
		}
	}
}
