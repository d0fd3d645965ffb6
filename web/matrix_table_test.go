package web_test

// Who may, by the powers of their role in acme. "known" is everybody who is signed in; "all" is the whole world.
const (
	all     = "all"
	known   = "known"
	read    = "owner admin developer billing viewer operator"
	apps    = "owner admin developer viewer operator"
	write   = "owner admin developer"
	bills   = "owner billing operator"
	govern  = "owner admin operator"
	manage  = "operator"
	nobody  = ""
	own     = "known" // one's own things: another's are not there
	reports = "provider"
)

// rule says how a route is asked about acme's things, and who is let through. {names} are acme's ids, {n} is a fresh number.
type rule struct {
	at, body string
	may      string
	ends     bool // it ends something: only the first who may is tried, after everything else
	form     bool
}

const (
	inOrg   = "?org={org}"
	inShop  = "?org={org}&project={project}"
	o       = "/o/{org}/{project}"
	install = o + "/instances/{instance2}"
)

// rules has an entry for every route of the API and the pages. A new route without one fails the test.
var rules = map[string]rule{
	"GET /healthz": {at: "/healthz", may: all},
	"GET /readyz":  {at: "/readyz", may: all},

	"GET /api/openapi.json":   {at: "/api/openapi.json", may: all},
	"GET /api/docs":           {at: "/api/docs", may: all},
	"GET /api/docs.css":       {at: "/api/docs.css", may: all},
	"GET /api/v1/marketplace": {at: "/api/v1/marketplace", may: known},
	"GET /api/v1/whoami":      {at: "/api/v1/whoami", may: known},
	"GET /api/v1/clock":       {at: "/api/v1/clock", may: known},

	"GET /api/v1/instances":               {at: "/api/v1/instances" + inShop, may: read},
	"POST /api/v1/instances":              {at: "/api/v1/instances", body: `{"want":"fake:sync","name":"made{n}","org":"{org}","project":"{project}"}`, may: write},
	"GET /api/v1/instances/:ref":          {at: "/api/v1/instances/{instance}", may: read},
	"PATCH /api/v1/instances/:ref":        {at: "/api/v1/instances/{instance}", body: `{}`, may: write},
	"POST /api/v1/instances/:ref/suspend": {at: "/api/v1/instances/{instance}/suspend", body: `{}`, may: write + " operator", ends: true},
	"POST /api/v1/instances/:ref/resume":  {at: "/api/v1/instances/{instance}/resume", may: write + " operator", ends: true},
	"DELETE /api/v1/instances/:ref":       {at: "/api/v1/instances/{instance}", may: write, ends: true},

	"GET /api/v1/bindings":                 {at: "/api/v1/bindings?instance={instance}", may: read},
	"POST /api/v1/bindings":                {at: "/api/v1/bindings", body: `{"instance":"{instance}","app":"{app}","alias":"A{n}","org":"{org}","project":"{project}"}`, may: write},
	"GET /api/v1/bindings/:id":             {at: "/api/v1/bindings/{binding}", may: read},
	"GET /api/v1/bindings/:id/credentials": {at: "/api/v1/bindings/{binding}/credentials", may: write},
	"POST /api/v1/bindings/:id/rotate":     {at: "/api/v1/bindings/{binding}/rotate", may: write},
	"DELETE /api/v1/bindings/:id":          {at: "/api/v1/bindings/{binding}", may: write, ends: true},

	"GET /api/v1/queue":          {at: "/api/v1/queue", may: manage},
	"GET /api/v1/operations":     {at: "/api/v1/operations", may: manage},
	"GET /api/v1/operations/:id": {at: "/api/v1/operations/{operation}", may: read},

	"POST /api/v1/reconcile":            {at: "/api/v1/reconcile", may: manage},
	"POST /api/v1/operations/:id/retry": {at: "/api/v1/operations/{operation}/retry", may: manage},
	"POST /api/v1/operations/:id/purge": {at: "/api/v1/operations/{operation}/purge", body: `{"confirm":"{operation}","reason":"test"}`, may: manage},

	"GET /api/v1/apps":          {at: "/api/v1/apps" + inShop, may: apps},
	"POST /api/v1/apps":         {at: "/api/v1/apps", body: `{"name":"app{n}","org":"{org}","project":"{project}"}`, may: write},
	"GET /api/v1/apps/:ref":     {at: "/api/v1/apps/{app}", may: apps},
	"GET /api/v1/apps/:ref/env": {at: "/api/v1/apps/{app}/env", may: write},

	"POST /api/v1/instances/:ref/backups": {at: "/api/v1/instances/{instance}/backups", may: write},
	"GET /api/v1/backups":                 {at: "/api/v1/backups" + inShop, may: read},
	"GET /api/v1/backups/:id":             {at: "/api/v1/backups/{backup}", may: read},
	"POST /api/v1/backups/:id/restore":    {at: "/api/v1/backups/{backup}/restore", body: `{"name":"back{n}"}`, may: write},
	"DELETE /api/v1/backups/:id":          {at: "/api/v1/backups/{backup}", may: write, ends: true},

	"POST /api/v1/instances/:ref/move":          {at: "/api/v1/instances/{moved}/move", body: `{"provider":"fakes","plan":"sync"}`, may: write},
	"GET /api/v1/instances/:ref/move":           {at: "/api/v1/instances/{moved}/move", may: read},
	"POST /api/v1/instances/:ref/move/confirm":  {at: "/api/v1/instances/{moved}/move/confirm", body: `{}`, may: write},
	"POST /api/v1/instances/:ref/move/rollback": {at: "/api/v1/instances/{moved}/move/rollback", body: `{}`, may: write},

	"GET /api/v1/apps/:ref/consumers":    {at: "/api/v1/apps/{app}/consumers", may: apps},
	"POST /api/v1/apps/:ref/consumers":   {at: "/api/v1/apps/{app}/consumers", body: `{"host":"h{n}"}`, may: write},
	"PUT /api/v1/consumers/:id":          {at: "/api/v1/consumers/{consumer}", body: `{"samples":[]}`, may: write},
	"DELETE /api/v1/consumers/:id":       {at: "/api/v1/consumers/{consumer}", may: write, ends: true},
	"GET /api/v1/instances/:ref/latency": {at: "/api/v1/instances/{instance}/latency", may: read},
	"POST /api/v1/quotes":                {at: "/api/v1/quotes", body: `{"want":"fake:sync","currency":"EUR"}`, may: known},
	"GET /api/v1/marketplace/targets":    {at: "/api/v1/marketplace/targets", may: known},

	"GET /api/v1/usage":                   {at: "/api/v1/usage" + inShop, may: read},
	"GET /api/v1/costs":                   {at: "/api/v1/costs" + inShop, may: read},
	"GET /api/v1/invoices":                {at: "/api/v1/invoices" + inOrg, may: bills},
	"GET /api/v1/invoices/preview":        {at: "/api/v1/invoices/preview" + inOrg, may: bills},
	"GET /api/v1/invoices/:number":        {at: "/api/v1/invoices/{invoice}", may: bills},
	"GET /api/v1/invoices/:number/verify": {at: "/api/v1/invoices/{invoice}/verify", may: bills},
	"POST /usage/events": {at: "/usage/events", body: `{"specversion":"1.0","id":"e{n}","source":"/test","type":"requests","subject":"{instance}",` +
		`"time":"2026-01-01T00:00:00Z","data":{"value":"1"}}`, may: reports},

	"GET /api/v1/orgs":      {at: "/api/v1/orgs", may: known},
	"POST /api/v1/orgs":     {at: "/api/v1/orgs", body: `{"name":"org{n}"}`, may: manage},
	"GET /api/v1/projects":  {at: "/api/v1/projects" + inOrg, may: read},
	"POST /api/v1/projects": {at: "/api/v1/projects", body: `{"name":"project{n}","org":"{org}"}`, may: govern},
	"GET /api/v1/members":   {at: "/api/v1/members" + inOrg, may: govern},
	"POST /api/v1/members":  {at: "/api/v1/members", body: `{"email":"new{n}@example.com","role":"viewer","org":"{org}"}`, may: "owner admin"},
	"GET /api/v1/audit":     {at: "/api/v1/audit" + inOrg, may: govern},

	"GET /api/v1/audit/verify":              {at: "/api/v1/audit/verify", may: manage},
	"GET /api/v1/platforms":                 {at: "/api/v1/platforms", may: manage},
	"POST /api/v1/platforms":                {at: "/api/v1/platforms", body: `{"name":"plt{n}","org":"{org}","project":"{project}"}`, may: manage},
	"POST /api/v1/platforms/:id/rotate":     {at: "/api/v1/platforms/{platform}/rotate", body: `{"keep_seconds":3600}`, may: manage},
	"DELETE /api/v1/platforms/:id":          {at: "/api/v1/platforms/{platform}", may: manage, ends: true},
	"POST /api/v1/providers/:name/key":      {at: "/api/v1/providers/fakes/key", may: manage, ends: true},
	"GET /api/v1/providers":                 {at: "/api/v1/providers", may: manage},
	"POST /api/v1/providers/:name/cordon":   {at: "/api/v1/providers/fakes/cordon", body: `{"reason":"test"}`, may: manage, ends: true},
	"DELETE /api/v1/providers/:name/cordon": {at: "/api/v1/providers/fakes/cordon", may: manage},
	"POST /api/v1/clock/advance":            {at: "/api/v1/clock/advance", body: `{"by":"1s"}`, may: manage},

	"GET /api/v1/tokens":        {at: "/api/v1/tokens", may: own},
	"POST /api/v1/tokens":       {at: "/api/v1/tokens", body: `{"name":"t{n}"}`, may: "owner admin developer billing viewer operator rival"},
	"DELETE /api/v1/tokens/:id": {at: "/api/v1/tokens/{token}", may: nobody}, // root's own, and root is none of the callers

	"GET /static/*":    {at: "{asset}", may: all},
	"GET /favicon.ico": {at: "/favicon.ico", may: all},
	"GET /signin":      {at: "/signin", may: all},

	"GET /":                            {at: "/", may: known},
	"GET /marketplace":                 {at: "/marketplace", may: known},
	"GET /marketplace/:offering":       {at: "/marketplace/fake", may: known},
	"GET /account":                     {at: "/account", may: known},
	"GET /o/:org/:project/marketplace": {at: o + "/marketplace", may: read},
	"GET /o/:org/:project/marketplace/:offering":                         {at: o + "/marketplace/fake", may: read},
	"GET /o/:org/:project/marketplace/:offering/new":                     {at: o + "/marketplace/fake/new?plan=sync", may: write},
	"POST /o/:org/:project/marketplace/:offering/new":                    {at: o + "/marketplace/fake/new", body: "plan=sync&name=page{n}", form: true, may: write},
	"GET /o/:org/:project/instances":                                     {at: o + "/instances", may: read},
	"GET /o/:org/:project/instances/:instance":                           {at: install, may: read},
	"POST /o/:org/:project/instances/:instance/bind":                     {at: install + "/bind", body: "app={app}&alias=P{n}", form: true, may: write},
	"POST /o/:org/:project/instances/:instance/destroy":                  {at: install + "/destroy", body: "confirm=db2", form: true, may: write, ends: true},
	"POST /o/:org/:project/instances/:instance/bindings/:binding/unbind": {at: install + "/bindings/{binding2}/unbind", form: true, may: write, ends: true},
	"POST /o/:org/:project/instances/:instance/bindings/:binding/reveal": {at: install + "/bindings/{binding2}/reveal", form: true, may: write},
	"POST /o/:org/:project/instances/:instance/bindings/:binding/rotate": {at: install + "/bindings/{binding2}/rotate", form: true, may: write},
	"POST /o/:org/:project/instances/:instance/suspend":                  {at: install + "/suspend", body: "confirm=yes", form: true, may: write + " operator", ends: true},
	"POST /o/:org/:project/instances/:instance/resume":                   {at: install + "/resume", body: "confirm=yes", form: true, may: write + " operator", ends: true},
	"POST /o/:org/:project/instances/:instance/plan":                     {at: install + "/plan", body: "plan=sync", form: true, may: write},
	"POST /o/:org/:project/instances/:instance/backups":                  {at: install + "/backups", form: true, may: write},
	"POST /o/:org/:project/instances/:instance/move/confirm":             {at: o + "/instances/{moved}/move/confirm", body: "confirm=yes", form: true, may: write},
	"POST /o/:org/:project/instances/:instance/move/rollback":            {at: o + "/instances/{moved}/move/rollback", body: "confirm=yes&name=moved", form: true, may: write},
	"GET /o/:org/:project/backups":                                       {at: o + "/backups", may: read},
	"GET /o/:org/:project/backups/:backup":                               {at: o + "/backups/{backup}", may: read},
	"POST /o/:org/:project/backups/:backup/restore":                      {at: o + "/backups/{backup}/restore", body: "to=fakes:sync&name=copy{n}", form: true, may: write},
	"POST /o/:org/:project/backups/:backup/delete":                       {at: o + "/backups/{backup2}/delete", body: "confirm=yes", form: true, may: write, ends: true},
	"GET /o/:org/:project/events":                                        {at: o + "/events", may: read},
	"GET /o/:org/:project/apps":                                          {at: o + "/apps", may: apps},
	"POST /o/:org/:project/apps":                                         {at: o + "/apps", body: "name=page{n}", form: true, may: write},
	"GET /o/:org/:project/apps/:app":                                     {at: o + "/apps/{app}", may: apps},
	"POST /o/:org/:project/apps/:app/reveal":                             {at: o + "/apps/{app}/reveal", form: true, may: write},
	"GET /o/:org/:project/usage":                                         {at: o + "/usage", may: read},
	"GET /billing/:org/invoices":                                         {at: "/billing/{org}/invoices", may: bills},
	"GET /billing/:org/invoices/preview":                                 {at: "/billing/{org}/invoices/preview", may: bills},
	"GET /billing/:org/invoices/:number":                                 {at: "/billing/{org}/invoices/{invoice}", may: bills},
	"POST /billing/:org/invoices/:number/verify":                         {at: "/billing/{org}/invoices/{invoice}/verify", form: true, may: bills},
	"POST /account/tokens":                                               {at: "/account/tokens", body: "name=t{n}", form: true, may: "owner admin developer billing viewer operator rival"},
	"POST /account/tokens/:token/revoke":                                 {at: "/account/tokens/{token}/revoke", form: true, may: nobody},
	"GET /operator/providers":                                            {at: "/operator/providers", may: manage},
	"POST /operator/providers/:provider/cordon":                          {at: "/operator/providers/fakes/cordon", body: "reason=test", form: true, may: manage, ends: true},
	"POST /operator/providers/:provider/uncordon":                        {at: "/operator/providers/fakes/uncordon", form: true, may: manage},
	"GET /operator/work":                                                 {at: "/operator/work", may: manage},
	"GET /operator/platforms":                                            {at: "/operator/platforms", may: manage},
	"GET /operator/audit":                                                {at: "/operator/audit", may: manage},
}

// gates has an entry for every route of the issuer and of sign-in: they know no roles. status is what a stranger gets who brings none of what
// the route asks for.
var gates = map[string]int{
	"GET /oidc/.well-known/openid-configuration": 200,
	"GET /oidc/keys":               200,
	"GET /oidc/login.css":          200,
	"GET /oidc/authorize":          400,
	"GET /oidc/authorize/callback": 400,
	"POST /oidc/oauth/token":       400,
	"GET /oidc/userinfo":           401,
	"POST /oidc/revoke":            401,
	"GET /oidc/login":              400,
	"POST /oidc/login":             400,
	"GET /auth/login":              303, // to the issuer
	"GET /auth/callback":           400,
	"POST /auth/logout":            303, // to the front page
}

// protocol has an entry for every route of Open Service Broker, asked about acme's instance. Provisioning and the catalog are everybody's own.
var protocol = map[string]struct{ at, body string }{
	"GET /v2/catalog":                                                       {"/v2/catalog", ""},
	"GET /v2/service_instances/{instance_id}":                               {"/v2/service_instances/{guid}", ""},
	"PUT /v2/service_instances/{instance_id}":                               {"/v2/service_instances/{guid}", `{"service_id":"x","plan_id":"y"}`},
	"PATCH /v2/service_instances/{instance_id}":                             {"/v2/service_instances/{guid}", `{"service_id":"{service}"}`},
	"DELETE /v2/service_instances/{instance_id}":                            {"/v2/service_instances/{guid}?service_id={service}&plan_id={plan}&accepts_incomplete=true", ""},
	"GET /v2/service_instances/{instance_id}/last_operation":                {"/v2/service_instances/{guid}/last_operation", ""},
	"GET /v2/service_instances/{instance_id}/service_bindings/{binding_id}": {"/v2/service_instances/{guid}/service_bindings/{bguid}", ""},
	"PUT /v2/service_instances/{instance_id}/service_bindings/{binding_id}": {"/v2/service_instances/{guid}/service_bindings/new", `{"service_id":"{service}","plan_id":"{plan}"}`},
	"DELETE /v2/service_instances/{instance_id}/service_bindings/{binding_id}": {
		"/v2/service_instances/{guid}/service_bindings/{bguid}?service_id={service}&plan_id={plan}&accepts_incomplete=true", "",
	},
	"GET /v2/service_instances/{instance_id}/service_bindings/{binding_id}/last_operation": {"/v2/service_instances/{guid}/service_bindings/{bguid}/last_operation", ""},
}
