package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/sutlerhq/sutler/internal/fault"
)

const root = "../.."

func project(t *testing.T, env ...string) (*types.Project, error) {
	t.Helper()
	o, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")}, cli.WithName("sutler"), cli.WithEnv(env))
	if err != nil {
		t.Fatal(err)
	}
	return o.LoadProject(t.Context())
}

// TestComposeCarriesARightConfiguration: the compose file parses, and the configuration it mounts is right in the environment it gives.
func TestComposeCarriesARightConfiguration(t *testing.T) {
	p, err := project(t, "STORE_PASSWORD=one", "POSTGRESQL_PASSWORD=two")
	if err != nil {
		t.Fatal(err)
	}
	market, err := p.GetService("market")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range market.Environment {
		t.Setenv(name, *value)
	}
	mounted := ""
	for _, v := range market.Volumes {
		if v.Target == "/etc/sutler/sutler.yaml" {
			mounted = v.Source
		}
	}
	c, warnings, err := loadConfig(mounted)
	if err != nil {
		t.Fatalf("%v: %v", err, fault.Of(err).Fields)
	}
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	for _, url := range append([]string{c.Store.Reveal()}, c.Providers[0].settings.(*postgresSettings).Admin.Reveal()) {
		host := url[strings.LastIndex(url, "@")+1 : strings.LastIndex(url, ":")]
		if _, err := p.GetService(host); err != nil {
			t.Errorf("the configuration names the host %q, which is no service", host)
		}
	}
	dockerfile, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`CMD ["serve", "--config", "/etc/sutler/sutler.yaml"]`, "USER 65532:65532", "VOLUME /var/lib/sutler"} {
		if !strings.Contains(string(dockerfile), want) {
			t.Errorf("the Dockerfile lacks %s", want)
		}
	}
}

func TestComposeRefusesToStartWithoutPasswords(t *testing.T) {
	if _, err := project(t); err == nil || !strings.Contains(err.Error(), "_PASSWORD") {
		t.Errorf("error %v, want one that names the missing password", err)
	}
}

func TestExampleConfigurationIsRight(t *testing.T) {
	t.Setenv("PG_EU_PASSWORD", "x")
	t.Setenv("PARTNER_PASSWORD", "x")
	t.Setenv("NATS_OPERATOR_KEY", "SOx")
	t.Setenv("NATS_SYSTEM_CREDS", "-----BEGIN NATS USER JWT-----")
	t.Setenv("RABBIT_EU_PASSWORD", "x")
	t.Setenv("S3_EU_SECRET", "x")
	_, warnings, err := loadConfig(filepath.Join(root, "deploy", "sutler.yaml"))
	if err != nil {
		t.Fatalf("%v: %v", err, fault.Of(err).Fields)
	}
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
}

func TestEmbeddedNATSIsRefusedBesidePostgreSQL(t *testing.T) {
	text := strings.Replace(goodConfig, "sqlite:///var/lib/sutler/sutler.db", "postgres://sutler@db/sutler", 1)
	text = strings.Replace(text, "providers:\n", "providers:\n- {name: nats, driver: nats, region: eu, settings: {embedded: true, dir: /var/lib/sutler/nats}}\n", 1)
	err := load(t, text)
	if fields := fault.Of(err).Fields; len(fields) != 1 || !strings.Contains(fields[0].Reason, "cannot be shared") || fields[0].Path != "line 9" {
		t.Errorf("error %v, problems %v", err, fields)
	}
}

func TestGivenNATSServersStandBesidePostgreSQL(t *testing.T) {
	text := strings.Replace(goodConfig, "sqlite:///var/lib/sutler/sutler.db", "postgres://sutler@db/sutler", 1)
	text = strings.Replace(text, "providers:\n", "providers:\n- {name: nats, driver: nats, region: eu, settings: {servers: [\"tls://10.0.0.1:4222\"], operator_key: \"${TEST_KEY}\", system_creds: \"${TEST_CREDS}\", tls: true}}\n", 1)
	t.Setenv("TEST_KEY", "SOxyz")
	t.Setenv("TEST_CREDS", "-----BEGIN NATS USER JWT-----")
	if err := load(t, text); err != nil {
		t.Errorf("error %v, problems %v", err, fault.Of(err).Fields)
	}
}
