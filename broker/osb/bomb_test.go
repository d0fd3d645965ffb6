package osb_test

import (
	"strconv"
	"strings"
	"testing"
)

// manyKeys is an object of n different keys.
func manyKeys(n int) string {
	b := []byte{'{'}
	for i := range n {
		b = append(strconv.AppendInt(append(b, '"'), int64(i), 36), `":0,`...)
	}
	return string(append(b, `"z":0}`...))
}

// Bodies that are made to hurt are refused at the door, in few words, on every route that reads one; nothing of them reaches the provider.
func TestBombs(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	if a := m.ask("PUT", "/v2/service_instances/there?accepts_incomplete=true", m.order("queued", "")); a.status != 201 { // made before it was answered
		m.is(a, 202)
	}
	if m.done("/v2/service_instances/there") != "succeeded" {
		t.Fatal("not made")
	}
	calls := func() int { return m.driver.Calls("provision") + m.driver.Calls("update") + m.driver.Calls("bind") }
	before := calls()
	for name, c := range map[string]struct {
		parameters string
		status     int
	}{
		"deep arrays":          {strings.Repeat("[", 500_000), 400},
		"deep objects":         {strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), 400},
		"one level too deep":   {`{"label":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, 400},
		"a key twice":          {`{"label":"a","label":"b"}`, 400},
		"a key in disguise":    {`{"label":"a","\u006cabel":"b"}`, 400},
		"100,000 keys":         {manyKeys(100_000), 400},
		"a million keys":       {manyKeys(1_000_000), 413},
		"half a million 1s":    {`{"label":[` + strings.Repeat("1,", 500_000) + `1]}`, 400},
		"a megabyte of 9s":     {`{"size":` + strings.Repeat("9", 1_000_000) + `}`, 400},
		"a gigantic number":    {`{"size":1e999999999}`, 400},
		"invalid UTF-8":        {"{\"label\":\"\xff\xfe\"}", 400},
		"an overlong NUL":      {"{\"label\":\"\xc0\x80\"}", 400},
		"a NUL":                {`{"label":"\u0000"}`, 400},
		"a raw control":        {"{\"label\":\"a\x01b\"}", 400},
		"half a surrogate":     {`{"label":"\ud800"}`, 400},
		"a byte order mark":    {"\ufeff{}", 400},
		"two documents":        {`{}},{"x":{}`, 400},
		"a long key":           {`{"` + strings.Repeat("k", 1_000_000) + `":1}`, 400},
		"a text that is a lot": {`{"label":"` + strings.Repeat("x", 1_000_000) + `"}`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			m.t = t
			for _, r := range [][3]string{
				{"PUT", "/v2/service_instances/new", m.order("queued", `,"parameters":`+c.parameters)},
				{"PATCH", "/v2/service_instances/there", m.patch(`,"parameters":` + c.parameters)},
				{"PUT", "/v2/service_instances/there/service_bindings/b", m.patch(`,"plan_id":"` + m.plan("queued") + `","parameters":` + c.parameters)},
			} {
				a := m.is(m.ask(r[0], r[1]+"?accepts_incomplete=true", r[2]), c.status)
				if len(a.raw) > 2000 || a.body["description"] == "" {
					t.Errorf("%s %s says %d bytes: %.300s", r[0], r[1], len(a.raw), a.raw)
				}
			}
		})
	}
	if n := calls(); n != before {
		t.Errorf("%d bombs reached the provider", n-before)
	}
}

// Ids are the platform's own: whatever is legal in a path lives a whole life, and what is not is refused on every route.
func TestIDs(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	for _, id := range []string{strings.Repeat("x", 255), strings.Repeat("%C3%A9", 127), "a%2Fb", "%22q%22", "%E2%82%AC", "%27", "a.b~c", "..%2F..", "%20", "%25", "a+b", "%3Fq=1", "%F0%9F%98%80", "Robert%27)%3B--"} {
		path := "/v2/service_instances/" + id
		m.is(m.ask("PUT", path, m.order("sync", "")), 201)
		m.is(m.ask("PUT", path, m.order("sync", "")), 200)
		m.is(m.ask("GET", path, ""), 200)
		bind := m.patch(`,"plan_id":"` + m.plan("sync") + `"`)
		m.is(m.ask("PUT", path+"/service_bindings/"+id, bind), 201)
		m.is(m.ask("PUT", path+"/service_bindings/"+id, bind), 200)
		m.is(m.ask("GET", path+"/service_bindings/"+id, ""), 200)
		m.is(m.ask("GET", path+"/service_bindings/"+id+"/last_operation", ""), 200)
		m.is(m.ask("DELETE", path+"/service_bindings/"+id+m.query("sync"), ""), 200)
		m.is(m.ask("DELETE", path+m.query("sync"), ""), 200)
		m.is(m.ask("GET", path+"/last_operation", ""), 200)
	}
	made := m.driver.Calls("provision")
	for _, id := range []string{"", strings.Repeat("x", 256), strings.Repeat("%C3%A9", 128), "a%00b", "a%0Ab", "a%7Fb", "%C2%85", "%FF", "%C0%AF", "%ED%A0%80"} {
		m.is(m.ask("PUT", "/v2/service_instances/"+id, m.order("sync", "")), 400)
		m.is(m.ask("PUT", "/v2/service_instances/i/service_bindings/"+id, m.patch(`,"plan_id":"`+m.plan("sync")+`"`)), 400)
		m.is(m.ask("DELETE", "/v2/service_instances/"+id+m.query("sync"), ""), 400)
	}
	if n := m.driver.Calls("provision"); n != made {
		t.Error("an id that is not legal reached the provider")
	}
}
