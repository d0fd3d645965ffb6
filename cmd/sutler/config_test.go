package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

const goodConfig = `store: sqlite:///var/lib/sutler/sutler.db
listen: 127.0.0.1:8080
public_url: http://127.0.0.1:8080
master_key: /var/lib/sutler/master.key
seller: {name: Sutler Ltd, country: DE, series: SU, tax: [{name: VAT, rate: "0.19"}]}
currency: EUR
egress: [10.0.0.0/8]
providers:
- name: make-believe
  driver: fake
  region: eu
  offerings:
  - offering: fake
    plans:
    - name: sync
      rates: [{name: base, model: fixed, amount: "5.00", per: month, hours: 672}]
`

func load(t *testing.T, text string) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sutler.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := loadConfig(path)
	return err
}

func TestConfigThatIsRight(t *testing.T) {
	if err := load(t, goodConfig); err != nil {
		t.Fatalf("%v: %v", err, fault.Of(err).Fields)
	}
}

// What a plan leads to, whom it is for and how long a rotation's old credentials last come out as they were written.
func TestConfigOfBindingsAndUpdates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sutler.yaml")
	text := strings.Replace(goodConfig, "currency: EUR", "currency: EUR\ngrace: 90m", 1) +
		"    - {name: small, from: sync, targets: [sync], app_only: true, maximum_polling_duration: 20s}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := loadConfig(path)
	if err != nil {
		t.Fatalf("%v: %v", err, fault.Of(err).Fields)
	}
	first, second := c.Providers[0].Offerings[0].Plans[0], c.Providers[0].Offerings[0].Plans[1]
	if c.Grace != 90*time.Minute || first.AppOnly || len(first.Targets) > 0 || !second.AppOnly || !slices.Equal(second.Targets, []string{"sync"}) ||
		first.MaxPolling != nil || second.MaxPolling == nil || *second.MaxPolling != 20*time.Second {
		t.Fatalf("%s %+v %+v", c.Grace, first, second)
	}
}

func TestConfigSaysEveryProblemWithItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		want     []string // "line N|part of the reason"
	}{
		"unknown key":         {"currency: EUR", "currencey: EUR", []string{`line 6|unknown key "currencey". Did you mean "currency"?`}},
		"no store":            {"store: sqlite:///var/lib/sutler/sutler.db\n", "", []string{"store|is missing"}},
		"relative store":      {"sqlite:///var/lib/sutler/sutler.db", "sqlite://sutler.db", []string{"line 1|three slashes"}},
		"other store":         {"sqlite:///var/lib/sutler/sutler.db", "mysql://x", []string{"line 1|sqlite:// or postgres://"}},
		"listen without port": {"listen: 127.0.0.1:8080", "listen: 127.0.0.1", []string{"line 2|host:port"}},
		"https without tls":   {"public_url: http:", "public_url: https:", []string{"line 3|trusted_proxies"}},
		"tls without files":   {"egress:", "tls: {cert: /nowhere}\negress:", []string{"line 7|/nowhere cannot be read", "line 7|tls.key: is missing"}},
		"country":             {"country: DE", "country: Germany", []string{"line 5|two capital letters"}},
		"tax above one":       {`rate: "0.19"`, `rate: "19"`, []string{"line 5|below 1"}},
		"bad prefix":          {"[10.0.0.0/8]", "[10.0.0.0]", []string{"line 7|egress[0]"}},
		"unknown driver":      {"driver: fake", "driver: fak", []string{`line 10|there is no driver "fak". Did you mean "fake"?`}},
		"unknown setting":     {"region: eu\n", "region: eu\n  settings: {dri: /tmp}\n", []string{`line 12|unknown key "dri". Did you mean "dir"?`}},
		"no region":           {"  region: eu\n", "", []string{"line 9|region: is missing"}},
		"name twice":          {"providers:\n", "providers:\n- {name: make-believe, driver: fake, region: us, offerings: [{offering: fake, name: other}]}\n", []string{"line 10|taken by the provider in line 9"}},
		"unknown plan":        {"name: sync", "name: sink", []string{"line 14|no plan, so nothing", `line 15|no plan "sink"`}},
		"unknown model":       {"model: fixed", "model: fixd", []string{"line 16|fixd"}},
		"price that is none":  {`"5.00"`, `"five"`, []string{"line 16|not a decimal"}},
		"several at once":     {"listen: 127.0.0.1:8080\npublic_url: http://127.0.0.1:8080\n", "lisen: x\npublic_url: nowhere\n", []string{"line 2|lisen", "line 3|nowhere"}},
		"grace that is none":  {"currency: EUR", "currency: EUR\ngrace: soon", []string{"line 7|grace: must be a duration", "line 7|from 1s to 720h"}},
		"no grace at all":     {"currency: EUR", "currency: EUR\ngrace: 0s", []string{"line 7|from 1s to 720h"}},
		"grace of a year":     {"currency: EUR", "currency: EUR\ngrace: 8760h", []string{"line 7|from 1s to 720h"}},
		"no patience":         {"name: sync", "name: sync\n      maximum_polling_duration: 0s", []string{"line 16|maximum_polling_duration: must be whole seconds from 1s to 168h"}},
		"patience below zero": {"name: sync", "name: sync\n      maximum_polling_duration: -20s", []string{"line 16|from 1s to 168h"}},
		"half a second":       {"name: sync", "name: sync\n      maximum_polling_duration: 1500ms", []string{"line 16|whole seconds"}},
		"patience of a month": {"name: sync", "name: sync\n      maximum_polling_duration: 720h", []string{"line 16|from 1s to 168h"}},
		"patience in words":   {"name: sync", "name: sync\n      maximum_polling_duration: long", []string{"line 16|must be a duration", "line 16|from 1s to 168h"}},
		"unknown target":      {"name: sync", "name: sync\n      targets: [large]", []string{"line 16|large"}},
		"app_only that is no": {"name: sync", "name: sync\n      app_only: perhaps", []string{"line 16|true or false"}},
		"nats nowhere":        {"driver: fake", "driver: nats", []string{"line 9|servers: are missing", "line 13|offers no"}},
		"nats with login":     {"driver: fake", "driver: nats\n  settings: {servers: [\"nats://u:swordfish@h:4222\", h, \"nats://h\"]}", []string{"line 11|without a login", "line 11|without a login", "line 11|name a port", "line 11|begins with SO", "line 11|creds of a user", "line 14|offers no"}},
		"nats twice":          {"driver: fake", "driver: nats\n  settings: {embedded: true, dir: /d, servers: [\"nats://h:4222\"]}", []string{"line 11|choose one", "line 14|offers no"}},
		"upstream nowhere":    {"driver: fake", "driver: osb", []string{"line 9|settings.url: is missing"}},
		"upstream with /v2":   {"driver: fake", "driver: osb\n  settings: {url: \"https://b.example.com/v2/\"}", []string{"line 11|end before /v2"}},
		"upstream with login": {"driver: fake", "driver: osb\n  settings: {url: \"https://u:p@b.example.com\"}", []string{"line 11|hold no login"}},
		"upstream two logins": {"driver: fake", "driver: osb\n  settings: {url: \"https://b.example.com\", token: t, username: u}", []string{"line 11|instead of username"}},
		"upstream's kinds":    {"driver: fake", "driver: osb\n  settings: {url: \"https://b.example.com\", kinds: {a: postgres}}", []string{"line 11|not known"}},
		"upstream's pace":     {"driver: fake", "driver: osb\n  settings: {url: \"https://b.example.com\", poll: -1s}", []string{"line 11|below zero"}},
		"grace too short":     {"currency: EUR\n", "currency: EUR\nwatch: {grace: 5s}\n", []string{"line 7|a minute or more"}},
		"rabbitmq nowhere":    {"driver: fake", "driver: rabbitmq", []string{"line 9|settings.admin: must be the address of the management plugin", "line 9|advertise.default: is missing", "line 13|no \"fake\""}},
		"rabbitmq no login":   {"driver: fake", "driver: rabbitmq\n  settings: {admin: \"https://h:15671\", advertise: {default: \"h:5671\"}}", []string{"line 11|management plugin", "line 14|no \"fake\""}},
		"rabbitmq address":    {"driver: fake", "driver: rabbitmq\n  settings: {admin: \"https://a:b@h:15671\", advertise: {default: \"h\"}}", []string{"line 11|host:port", "line 14|no \"fake\""}},
		"s3 without a key":    {"driver: fake", "driver: s3\n  settings: {endpoint: \"http://h:7070\"}", []string{"line 11|access_key: is missing", "line 11|secret_key: is missing", "line 14|no \"fake\""}},
		"s3 address":          {"driver: fake", "driver: s3\n  settings: {endpoint: \"h:7070\", access_key: a, secret_key: b}", []string{"line 11|https://objects.example.com", "line 14|no \"fake\""}},
		"network's name":      {"driver: fake", "driver: postgres\n  settings: {admin: \"postgres://a:b@h:5432/postgres\", advertise: {\"Private Net\": \"h:1\"}}", []string{"line 11|a-z, 0-9 and dashes", "line 14|no \"fake\""}},
		"network nowhere":     {"driver: fake", "driver: postgres\n  settings:\n    admin: postgres://a:b@h:5432/postgres\n    advertise:\n      private:\n        tls: require", []string{"line 14|address: is missing", "line 18|no \"fake\""}},
		"network's address":   {"driver: fake", "driver: postgres\n  settings:\n    admin: postgres://a:b@h:5432/postgres\n    advertise:\n      default: db:5432\n      private: {address: db}", []string{"line 15|host:port", "line 18|no \"fake\""}},
		"network's TLS":       {"driver: fake", "driver: postgres\n  settings:\n    admin: postgres://a:b@h:5432/postgres\n    advertise:\n      private:\n        address: db:5432\n        tls: full", []string{"line 16|disable, prefer, require, verify-ca, verify-full", "line 19|no \"fake\""}},
		"network's authority": {"driver: fake", "driver: postgres\n  settings:\n    admin: postgres://a:b@h:5432/postgres\n    advertise:\n      private:\n        address: db:5432\n        tls: verify-full", []string{"line 14|ca: is missing", "line 19|no \"fake\""}},
		"authority nowhere":   {"driver: fake", "driver: rabbitmq\n  settings:\n    admin: https://a:b@h:15671\n    advertise:\n      default: h:5671\n      private: {address: \"h:5671\", tls: verify-full, ca: /nowhere}", []string{"line 15|/nowhere cannot be read", "line 18|no \"fake\""}},
		"word of a network":   {"driver: fake", "driver: nats\n  settings: {embedded: true, dir: /d, advertise: {private: {address: \"h:1\", tls: prefer}}}", []string{"line 11|one of disable, verify-full", "line 14|offers no"}},
		"key of a network":    {"driver: fake", "driver: nats\n  settings: {embedded: true, dir: /d, advertise: {private: {address1: \"h:1\"}}}", []string{"line 11|unknown key \"address1\". Did you mean \"address\"?", "line 11|address: is missing", "line 14|offers no"}},
		"s3 has no TLS word":  {"driver: fake", "driver: s3\n  settings: {endpoint: \"http://h:7070\", access_key: a, secret_key: b, advertise: {private: {address: \"https://h\", tls: verify-full}}}", []string{"line 11|said by the address", "line 14|no \"fake\""}},
		"redis has no TLS":    {"driver: fake", "driver: redis\n  settings: {dir: /d, advertise: {default: cache.example.com, private: {address: \"10.0.0.7\", tls: verify-full}}}", []string{"line 11|speak no TLS", "line 14|no \"fake\""}},
		"half a certificate":  {"driver: fake", "driver: nats\n  settings: {embedded: true, dir: /d, key: /k}", []string{"line 11|go together", "line 14|offers no"}},
		"backups nowhere":     {"currency: EUR\n", "currency: EUR\nbackups: {}\n", []string{"line 7|either a folder or a bucket"}},
		"backups twice":       {"currency: EUR\n", "currency: EUR\nbackups: {folder: /b, bucket: {endpoint: \"h:1\", name: n, access_key: a, secret_key: s}}\n", []string{"line 7|either a folder or a bucket"}},
		"backups relative":    {"currency: EUR\n", "currency: EUR\nbackups: {folder: backups}\n", []string{"line 7|backups.folder: must be an absolute path"}},
		"backups endpoint":    {"currency: EUR\n", "currency: EUR\nbackups: {bucket: {endpoint: \"https://h\", name: n, access_key: a, secret_key: s}}\n", []string{"line 7|backups.bucket.endpoint: must be host:port"}},
		"backups no port":     {"currency: EUR\n", "currency: EUR\nbackups: {bucket: {endpoint: h, name: n, access_key: a, secret_key: s}}\n", []string{"line 7|backups.bucket.endpoint: must be host:port"}},
		"backups no keys":     {"currency: EUR\n", "currency: EUR\nbackups: {bucket: {endpoint: \"h:1\", name: n}}\n", []string{"line 7|needs a name, an access_key and a secret_key"}},
		"backups unset key":   {"currency: EUR\n", "currency: EUR\nbackups: {bucket: {endpoint: \"h:1\", name: n, access_key: a, secret_key: \"${SUTLER_TEST_UNSET}\"}}\n", []string{"line 7|SUTLER_TEST_UNSET"}},
		"backups misspelt":    {"currency: EUR\n", "currency: EUR\nbackups: {foldr: /b}\n", []string{"line 7|unknown key", "line 7|either a folder or a bucket"}},
		"no providers":        {goodConfig[strings.Index(goodConfig, "providers:"):], "", []string{"providers|nothing to sell"}},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(goodConfig, c.old) {
				t.Fatal("the case changes nothing")
			}
			err := load(t, strings.Replace(goodConfig, c.old, c.new, 1))
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("error %v, want Invalid", err)
			}
			fields := fault.Of(err).Fields
			if len(fields) != len(c.want) {
				t.Fatalf("problems %v, want %v", fields, c.want)
			}
			for i, w := range c.want {
				at, reason, _ := strings.Cut(w, "|")
				if fields[i].Path != at || !strings.Contains(fields[i].Reason, reason) {
					t.Errorf("problem %d is %+v, want %s", i, fields[i], w)
				}
			}
		})
	}
}

func TestConfigKeepsSecretsToItself(t *testing.T) {
	t.Setenv("SUTLER_TEST_STORE", "postgres://user:swordfish@%%%/db")
	err := load(t, strings.Replace(goodConfig, "sqlite:///var/lib/sutler/sutler.db", "${SUTLER_TEST_STORE}", 1))
	if err == nil {
		t.Fatal("an address that is none was taken")
	}
	for _, f := range fault.Of(err).Fields {
		if strings.Contains(f.Reason+err.Error(), "swordfish") {
			t.Errorf("the password is in %q", f.Reason)
		}
	}
}

func TestWhatIsNoYAMLIsSaidOnce(t *testing.T) {
	for name, text := range map[string]string{"syntax": "store: [\n", "no mapping": "just words", "binary": "\x7fELF\x01\x02"} {
		err := load(t, text)
		if err == nil || len(fault.Of(err).Fields) != 1 {
			t.Errorf("%s: %v %v", name, err, fault.Of(err).Fields)
		}
	}
	if _, _, err := loadConfig(t.TempDir()); err == nil || !strings.Contains(err.Error(), "it is a folder") {
		t.Errorf("a folder: %v", err)
	}
}

func TestASecondProviderOfANameHasItsOwnPlace(t *testing.T) {
	c := config{Providers: []providerConfig{{Name: "n"}, {Name: "n"}, {Name: "m"}}}
	if got := c.path("providers/" + c.placeOf(1) + "/offerings/0"); got != "providers[1].offerings[0]" {
		t.Errorf("the place is %q", got)
	}
}

// Backups are kept in a folder, or in a bucket, or nowhere.
func TestConfigOfBackups(t *testing.T) {
	for _, text := range []string{"", "backups: {folder: /var/lib/sutler/backups}\n", "backups: {bucket: {endpoint: \"s3.example.com:443\", name: n, access_key: a, secret_key: s}}\n"} {
		if err := load(t, goodConfig+text); err != nil {
			t.Errorf("%q: %v: %v", text, err, fault.Of(err).Fields)
		}
	}
}

// The configuration that says it has every key has those that decide who sees a plan and for how long its orders are tried, and is right.
func TestTheSampleHasThePlansKeys(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "deploy", "sutler.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"visibility: {orgs: [acme], platforms: [cf-eu]}", "maximum_polling_duration: "} {
		if !strings.Contains(string(text), key) {
			t.Errorf("there is no %q", key)
		}
	}
	alerts, err := os.ReadFile(filepath.Join(root, "deploy", "alerts.yaml"))
	if err != nil || !strings.Contains(string(alerts), "max by (provider) (sutler_operations_stuck)") {
		t.Error("what every process reads from one store is not the greatest of what they say", err)
	}
}
