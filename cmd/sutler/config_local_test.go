package main

import (
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
)

// TestConfigOfServersOnAMachine: what Redis and PostgreSQL servers of one's own want said, and which node has them.
func TestConfigOfServersOnAMachine(t *testing.T) {
	const pg, lite = "postgres://sutler@db/sutler", "sqlite:///var/lib/sutler/sutler.db"
	for name, c := range map[string]struct {
		store, provider string
		want            []string // parts of the reasons; none: it is right
	}{
		"redis":                       {lite, "driver: redis, settings: {dir: /var/lib/sutler/redis, listen: 10.0.0.5, advertise: {default: redis.example.com}}", nil},
		"redis nowhere":               {lite, "driver: redis", []string{"settings.dir: is missing"}},
		"redis relative":              {lite, "driver: redis, settings: {dir: redis}", []string{"settings.dir: must be an absolute path"}},
		"redis listens to a name":     {lite, "driver: redis, settings: {dir: /r, listen: localhost}", []string{"settings.listen: must be an address"}},
		"redis both ways":             {lite, "driver: redis, settings: {dir: /r, shared: \"redis://a:b@h:6379\"}", []string{"settings.shared: goes without dir"}},
		"redis shared elsewhere":      {lite, "driver: redis, settings: {shared: \"http://h\"}", []string{"settings.shared: must be the administrator's address"}},
		"redis beside processes":      {pg, "driver: redis, settings: {dir: /r}", []string{"node: is missing"}},
		"redis at a node":             {pg, "driver: redis, node: market-1, settings: {dir: /r}", nil},
		"shared redis at a node":      {pg, "driver: redis, node: market-1, settings: {shared: \"redis://a:b@h:6379\"}", []string{"node: goes with servers that the market runs"}},
		"shared redis":                {pg, "driver: redis, settings: {shared: \"redis://a:b@h:6379\"}", nil},
		"another node than the only":  {lite, "driver: redis, node: market-1, settings: {dir: /r}", []string{"a SQLite store has one process"}},
		"a node with a slash":         {pg, "driver: redis, node: a/b, settings: {dir: /r}", []string{"no slash"}},
		"dedicated":                   {lite, "driver: postgres, settings: {dedicated: {dir: /p}, advertise: {default: pg.example.com}}", nil},
		"dedicated at a node":         {pg, "driver: postgres, node: market-1, settings: {dedicated: {dir: /p, mode: attached}}", nil},
		"dedicated beside processes":  {pg, "driver: postgres, settings: {dedicated: {dir: /p}}", []string{"node: is missing"}},
		"dedicated nowhere":           {lite, "driver: postgres, settings: {dedicated: {mode: detached}}", []string{"dedicated.dir: is missing"}},
		"dedicated relative":          {lite, "driver: postgres, settings: {dedicated: {dir: p}}", []string{"dedicated.dir: must be an absolute path"}},
		"dedicated in another mode":   {lite, "driver: postgres, settings: {dedicated: {dir: /p, mode: daemon}}", []string{"dedicated.mode: must be attached or detached"}},
		"dedicated listens to a name": {lite, "driver: postgres, settings: {dedicated: {dir: /p, listen: localhost}}", []string{"dedicated.listen: must be an address"}},
		"dedicated with a path":       {lite, "driver: postgres, settings: {dedicated: {dir: /p}, advertise: {default: \"h/x\"}}", []string{"must be a host"}},
		"dedicated and given":         {lite, "driver: postgres, settings: {dedicated: {dir: /p}, admin: \"postgres://a:b@h/postgres\"}", []string{"goes without dedicated"}},
		"dedicated with TLS":          {lite, "driver: postgres, settings: {dedicated: {dir: /p}, tls: require}", []string{"speak no TLS"}},
		"a given server at a node":    {pg, "driver: postgres, node: market-1, settings: {admin: \"postgres://a:b@h/postgres\"}", []string{"node: goes with servers that the market runs"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(goodConfig, lite, c.store, 1)
			text = strings.Replace(text, "providers:\n", "providers:\n- {name: here, region: eu, "+c.provider+"}\n", 1)
			err := load(t, text)
			fields := fault.Of(err).Fields
			if err == nil && len(c.want) > 0 || len(fields) != len(c.want) {
				t.Fatalf("%v: problems %v, want %v", err, fields, c.want)
			}
			for n, w := range c.want {
				if !strings.Contains(fields[n].Reason, w) || fields[n].Path != "line 9" {
					t.Errorf("%+v, want %q", fields[n], w)
				}
			}
		})
	}
}

// Certifying uses a folder of its own: a running market holds the one that is configured.
func TestConfigServersAreCertifiedApart(t *testing.T) {
	own := &postgresSettings{Dedicated: &dedicatedSettings{Dir: "/p", Listen: "10.0.0.5"}}
	s, moved := own.apart("/other")
	if p, ok := s.(*postgresSettings); !ok || !moved || p.Dedicated == nil || p.Dedicated.Dir != "/other" || p.Dedicated.Mode != "attached" {
		t.Errorf("%+v %v", s, moved)
	}
	given := &postgresSettings{Advertise: advertise{}}
	if s, moved := given.apart("/other"); moved || s != driverSettings(given) {
		t.Errorf("%+v %v", s, moved)
	}
}
