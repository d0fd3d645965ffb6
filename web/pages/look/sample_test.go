package look_test

import (
	"time"

	"github.com/sutlerhq/sutler/web/pages/look"
)

var now = time.Date(2026, 11, 22, 15, 4, 5, 0, time.UTC)

func frame(title, section string) look.Frame {
	return look.Frame{
		Title: title, Section: section, Now: now, Org: "acme", Project: "shop", Money: true, Operator: true,
		Who:    &look.Visitor{Name: "Ada Lovelace", Email: "ada@example.com", Initials: "AL"},
		Places: []look.Place{{Org: "acme", Project: "shop", Current: true}, {Org: "acme", Project: "default"}},
	}
}

var (
	small   = look.Price{Big: "€5", Small: "a month at most, €0.00744/h", Unit: "a month"}
	limits  = []look.Limit{{Name: "Connections", Value: "40"}, {Name: "Storage", Value: "10 GiB"}}
	pgCard  = look.Card{URL: "/x", Kind: "postgresql", Title: "PostgreSQL", Name: "postgresql", Provider: "harbour", Region: "eu-central", Line: "A database of your own on a managed PostgreSQL 15.", Tags: []string{"sql", "relational"}, From: look.Price{Big: "free"}, Plans: 3, Status: look.Chip{Tone: "good", Word: "selling"}}
	envVars = []look.Variable{{Name: "DATABASE_URL", Secret: true}, {Name: "DATABASE_HOST", Value: "pg.harbour.internal"}, {Name: "DATABASE_PASSWORD", Secret: true}}
	lines   = []look.Line{
		{Description: "base, 505 h", Provider: "harbour", Plan: "small", Instance: "orders-db", Project: "shop", Quantity: "505", Unit: "h", UnitPrice: "€0.00744", Amount: "€3.76", From: now.AddDate(0, 0, -21), To: now},
		{Description: "storage", Provider: "harbour", Plan: "small", Instance: "orders-db", Project: "shop", Quantity: "6.1", Unit: "GiB", UnitPrice: "€0.10", Amount: "€0.61", From: now.AddDate(0, 0, -21), To: now},
		{Description: "messages", Provider: "embedded", Plan: "standard", Instance: "events", Project: "shop", Quantity: "1,204,331", Unit: "message", UnitPrice: "€0.000001", Amount: "€1.20", From: now.AddDate(0, 0, -9), To: now},
	}
)

// full are all pages with everything on them.
func full() []look.Page {
	row := look.InstanceRow{ID: "ins_1", Name: "orders-db", URL: "/x", Kind: "postgresql", Offering: "postgresql", Plan: "small", Provider: "harbour", Region: "eu-central", State: look.Chip{Tone: "good", Word: "ready"}, Apps: []string{"shop-web", "reports"}, Cost: "€4.37", CreatedAt: now.AddDate(0, 0, -21), OfferingURL: "/x", Dashboard: "/x"}
	return append(append(fullMarket(), fullInstance(row)...), fullBilling()...)
}

func fullMarket() []look.Page {
	nats := look.Card{URL: "/x", Kind: "nats", Title: "NATS", Name: "nats", Provider: "embedded", Region: "local", Line: "Subjects, streams and key-value in an account of your own.", Tags: []string{"messaging"}, From: small, Plans: 2}
	down := look.Card{URL: "/x", Kind: "redis", Title: "Redis", Name: "redis", Provider: "quay", Region: "eu-west", Line: "One Redis 7 process per instance, memory capped.", From: small, Plans: 1, Status: look.Chip{Tone: "care", Word: "starting"}}
	open := look.Chip{Tone: "good", Word: "selling"}
	card := pgCard
	card.Status = look.Chip{}
	f := frame("Marketplace", "market")
	return []look.Page{
		look.Market{
			Frame: f, Compared: []look.Rival{{URL: "/x", Name: "pg-west", Provider: "quay", Region: "eu-west", Plan: "s", Price: small, Limits: limits, Status: look.Chip{Tone: "care", Word: "cordoned", Note: "disks"}}}, Order: look.Order{URL: "/x"}, Reach: look.Reach{Now: now, Rows: []look.Distance{{Provider: "harbour", Region: "eu-central", From: "shop-web", App: true, Hosts: "web-1, web-2", P50: "0.84 ms", P95: "1.4 ms", Tries: 45, At: now}, {Provider: "quay", Region: "eu-west"}}, Command: "sutler marketplace --near"}, Sellers: 3, Total: 3, Cards: []look.Card{card, nats, down}, Command: "sutler marketplace", ClearURL: "?",
			Kinds: []look.Facet{{Label: "postgresql", URL: "?", Count: 1, On: true}, {Label: "nats", URL: "?", Count: 1}}, Regions: []look.Facet{{Label: "eu-central", URL: "?", Count: 2}}, Providers: []look.Facet{{Label: "harbour", URL: "?", Count: 1}},
		},
		look.Offering{
			Frame: frame("PostgreSQL", "market"), Card: pgCard, Docs: "https://example.com/", Open: true, Alias: "DATABASE", Variables: envVars, Commands: []look.Command{"sutler create postgresql:small db --app shop-web --wait", "sutler run --app shop-web -- ./server"},
			Plans:  []look.PlanBox{{Name: "dev", Title: "dev", Price: look.Price{Big: "free"}, Limits: limits, URL: "/x"}, {Name: "small", Title: "small", Line: "For one app.", Price: look.Price{Big: "€5", Small: small.Small, Metered: []string{"€0.10 per GiB, first 5 free"}}, Limits: limits, URL: "/x"}},
			Rivals: []look.Rival{{Name: "postgresql", Provider: "harbour", Region: "eu-central", Plan: "small", Price: small, Status: open, Current: true}, {URL: "/x", Name: "pg-west", Provider: "quay", Region: "eu-west", Plan: "s", Price: small, Status: open}},
		},
		look.Provision{
			Frame: frame("Create PostgreSQL", "market"), Card: pgCard, Open: true, Problems: []string{"The form has mistakes; nothing was created."}, Command: "sutler create postgresql:small orders-db --app shop-web",
			Plans: []look.PlanChoice{{Name: "dev", Title: "dev", Price: look.Price{Big: "free"}, Limits: limits}, {Name: "small", Title: "small", Price: small, On: true, Limits: limits}},
			Name:  look.Field{Name: "name", Label: "Name", Value: "orders-db", Required: true, Error: "orders-db is taken in this project.", Help: "Small letters, digits and dashes."},
			App:   look.Field{Name: "app", Label: "App", Kind: "select", Options: []look.Choice{{Label: "none"}, {Value: "shop-web", Label: "shop-web", On: true}}},
			Alias: look.Field{Name: "alias", Label: "Alias", Placeholder: "DATABASE"}, Preview: []string{"DATABASE_URL", "DATABASE_HOST"},
			Params: []look.Field{{Name: "p.size", Label: "Size", Kind: "number", Min: "1", Max: "9"}, {Name: "p.raw", Label: "Others", Kind: "json", Value: "{}"}},
			Quote:  look.Quote{Plan: "small", Monthly: "€5", Hourly: "€0.00744", Once: "€1", Metered: []string{"€0.10 per GiB"}},
		},
	}
}

func fullInstance(row look.InstanceRow) []look.Page {
	making := look.InstanceRow{Name: "events", URL: "/x", Kind: "nats", Offering: "nats", Plan: "standard", Provider: "embedded", Region: "local", State: look.Chip{Tone: "note", Word: "creating", Note: "making the account"}, Cost: "€1.20", CreatedAt: now.Add(-time.Minute)}
	live := frame("Instances", "instances")
	live.Live, live.Notice = "/events", look.Notice{Tone: "good", Text: "events is being created."}
	inst := look.Instance{
		Frame: frame("orders-db", "instances"), Row: row, Sold: "PostgreSQL", Note: "The provider answers slowly.", Write: true, CanBind: true, Costs: true, Limits: limits,
		Steps:    []look.Step{{Text: "Bound to shop-web", Tone: "good", At: now.Add(-time.Hour)}, {Text: "Ready after 1.2 s", Tone: "good", At: now.AddDate(0, 0, -21)}, {Text: "Created", Tone: "good", Note: "quote €5 accepted", At: now.AddDate(0, 0, -21)}},
		Bindings: []look.BindingRow{{ID: "bnd_1", App: "shop-web", AppURL: "/x", Alias: "DATABASE", State: look.Chip{Tone: "good", Word: "ready"}, CreatedAt: now.Add(-time.Hour), Ready: true, CanReveal: true, Values: envVars}, {ID: "bnd_0", App: "shop-web", AppURL: "/x", Alias: "DATABASE", State: look.Chip{Tone: "note", Word: "expiring"}, CreatedAt: now.AddDate(0, 0, -9), ExpiresAt: now.Add(time.Hour), Successor: "bnd_1"}},
		App:      look.Field{Name: "app", Label: "App", Kind: "select", Required: true, Options: []look.Choice{{Value: "reports", Label: "reports"}}}, Alias: look.Field{Name: "alias", Label: "Alias", Placeholder: "DATABASE"},
		Usage: []look.Measure{{Name: "Storage", Quantity: "6.1", Unit: "GiB"}}, Confirm: look.Field{Name: "confirm", Label: "Type orders-db to confirm", Required: true, Error: "That is not its name."},
		Commands: []look.Command{"sutler info orders-db", "sutler destroy orders-db --confirm orders-db"},
	}
	inst.Health = &look.Health{Word: "over limit", Note: "It is slow.", Over: []look.Overrun{{Name: "Storage", Used: "12 GiB", Allowed: "10 GiB", Held: true}}, Due: now.Add(time.Hour)}
	inst.Turn = &look.Turn{Verb: "suspend", Holds: []look.Hold{{Who: "By its owners", Why: "a move", Since: now}}, Why: look.Field{Name: "why", Label: "Why"}, Confirm: look.Check{Name: "confirm", Label: "I know", Error: "Tick this."}}
	inst.Change = &look.PlanChange{Now: "small", Price: small, Choices: []look.PlanChoice{{Name: "large", Title: "large", Price: small, Limits: limits, Differs: "+€43 a month", On: true}}, Error: "Choose a plan.", WhyNot: "Later.", Command: "sutler update orders-db --plan large"}
	copied := look.BackupRow{ID: "bak_1", URL: "/x", Instance: "orders-db", InstanceURL: "/x", Kind: "postgresql", Offering: "postgresql", Plan: "small", Provider: "harbour", State: look.Chip{Tone: "bad", Word: "failed", Note: "It broke off."}, Size: "12 MiB", CreatedAt: now, Ready: true}
	inst.BackUp, inst.More, inst.AllURL = true, 3, "/x"
	inst.Backups = look.BackupTable{Now: now, Rows: []look.BackupRow{copied}}
	inst.Consumers = look.ConsumerTable{Now: now, Named: true, Rows: []look.ConsumerRow{{App: "shop-web", AppURL: "/x", Host: "web-1", State: look.Chip{Tone: "care", Word: "outdated", Note: "Start it again."}, StartedAt: now, SeenAt: now}}}
	inst.Move = &look.Move{
		URL: "/x", Title: "Moved from harbour to quay", State: look.Chip{Tone: "care", Word: "waits for you"}, Text: "It lives at quay now.", Note: "It broke off.", From: "harbour", To: "quay", Same: 3,
		Stages: []look.Stage{{Text: "New instance made", Note: "postgresql:small", Tone: "good"}, {Text: "Data copied", Tone: "note"}, {Text: "Name handed over", Tone: "off"}}, Other: look.Half{Name: "orders-db-moved-x", URL: "/x"},
		Counts:  []look.Count{{Name: "public.orders", Old: "12", New: "11", Differs: true}, {Name: "public.items", Old: "9", New: "9"}},
		Confirm: &look.Check{Name: "confirm", Label: "I know", Error: "Tick this."}, Back: &look.Return{Verb: "Roll back", Text: "What was written is lost.", Name: &look.Field{Name: "name", Label: "Type orders-db", Required: true}}, Commands: []look.Command{"sutler move orders-db --confirm"},
	}
	return []look.Page{
		look.Backups{Frame: frame("Backups", "backups"), Instance: "orders-db", AllURL: "/x", Table: look.BackupTable{Now: now, Named: true, Rows: []look.BackupRow{copied}}, Command: "sutler backup list"},
		look.Backup{
			Frame: frame("Backup", "backups"), Row: copied, Note: "It broke off.", Counts: limits, Write: true, Problems: []string{"Nothing was restored."}, Name: look.Field{Name: "name", Label: "Name", Error: "is taken"},
			Where: []look.PlaceChoice{{Value: "harbour:small", Title: "harbour · small", Region: "eu-central", Price: small, Limits: limits, Same: true, On: true}}, WhereBad: "Choose.", Delete: look.Check{Name: "confirm", Label: "I know"}, Commands: []look.Command{"sutler backup delete bak_1"},
		},
		look.Instances{Frame: live, Rows: []look.InstanceRow{making, row}, Costs: true, Total: "€5.57", Command: "sutler instances"},
		inst,
		look.Apps{Frame: frame("Apps", "apps"), Rows: []look.AppRow{{Name: "shop-web", URL: "/x", Uses: []string{"orders-db", "events"}}, {Name: "reports", URL: "/x"}}, Write: true, Name: look.Field{Name: "name", Label: "Name of the new app", Required: true}, Command: "sutler app create NAME"},
		look.App{Frame: frame("shop-web", "apps"), Name: "shop-web", Variables: envVars, CanReveal: true, Bindings: []look.AppBinding{{Alias: "DATABASE", Instance: "orders-db", URL: "/x", Kind: "postgresql", State: row.State, CreatedAt: now}}, Dotenv: "DATABASE_URL='x'\n", Revealed: true, Commands: []look.Command{"sutler run --app shop-web -- ./server"}},
	}
}

func fullBilling() []look.Page {
	paid := look.Chip{Tone: "good", Word: "paid"}
	v := &look.Verified{OK: true, Checks: []look.Checked{{Name: "hash", OK: true}, {Name: "lines", OK: true, Note: "3 recomputed"}, {Name: "journal", Note: "trial balance is off"}}}
	return []look.Page{
		look.Usage{Frame: frame("Usage & costs", "usage"), Month: now, Total: "€5.57", Lines: lines, Shares: []look.Share{{Instance: "orders-db", URL: "/x", Provider: "harbour", Amount: "€4.37", Percent: 78}, {Instance: "events", Provider: "embedded", Amount: "€1.20", Percent: 22}}, Usage: []look.Measure{{Instance: "events", Name: "Messages", Quantity: "1,204,331", Unit: "message"}}, Command: "sutler costs"},
		look.Invoices{Frame: frame("Invoices", "invoices"), Rows: []look.InvoiceRow{{Number: "SUT-000001", URL: "/x", Total: "€12.34", Period: now.AddDate(0, -1, 0), IssuedAt: now, State: paid, Sent: "not sent"}}, PreviewURL: "/x", Running: "€5.57", Command: "sutler invoices"},
		look.Invoice{Frame: frame("Invoice SUT-000001", "invoices"), Number: "SUT-000001", Account: "Acme Ltd", Seller: "Sutler Market", Currency: "EUR", From: now.AddDate(0, -1, 0), To: now, IssuedAt: now, State: paid, Sent: "not sent: no payment provider is configured", Lines: lines, Subtotal: "€5.57", Discount: "−€1.00", Tax: []look.TaxRow{{Name: "VAT", Rate: "19 %", Amount: "€1.06"}}, Total: "€6.63", Credit: "€1.00", Due: "€5.63", Hash: "9c1185a5c5e9fc54612808977ee8f548b2258d31", Signature: "MEUCIQ", Verified: v, Command: "sutler invoice verify SUT-000001"},
		look.SignIn{Frame: look.Frame{Title: "Sign in", Now: now}, Next: "/account"},
		look.Account{Frame: frame("Your account", ""), Roles: []look.RoleRow{{Role: "owner", Where: "acme"}}, Tokens: []look.TokenRow{{ID: "tok_1", Name: "laptop", Scope: "all that you may", CreatedAt: now, LastUsed: now, Expires: now}}, Name: look.Field{Name: "name", Label: "Name", Required: true}, Secret: "sut_abc", Made: "ci", Command: "sutler token create NAME"},
		look.Sellers{Frame: frame("Providers", "sellers"), Stuck: 2, Rows: []look.SellerRow{{Name: "quay", Cordoned: true}, {Name: "harbour", Driver: "postgres", Live: 12, Region: "eu-central", Reason: look.Field{Name: "reason", Of: "harbour", Label: "Why", Error: "Say why."}, Status: look.Chip{Tone: "bad", Word: "down", Note: "connection refused"}, Offerings: []look.Choice{{Value: "/x", Label: "postgresql"}}}}, Command: "sutler provider list"},
		look.Platforms{Frame: frame("Platforms", "platforms"), Rows: []look.PlatformRow{{Name: "cf-eu", Org: "acme", Project: "shop", CreatedAt: now}}, Command: "sutler platform list"},
		look.Work{Frame: frame("Work", "work"), Due: 2, Stuck: look.WorkTable{Now: now, Rows: []look.WorkRow{{ID: "op_1", Instance: "orders-db", InstanceID: "ins_1", Verb: "deprovision", Note: "connection refused", State: look.Chip{Tone: "bad", Word: "stuck"}, StartedAt: now}}}, Failing: []look.FailingRow{{What: "billing.close", Of: "acme", Note: "No rate.", Attempts: 3}}, Latest: look.WorkTable{Now: now, Rows: []look.WorkRow{{ID: "op_2", Instance: "events", InstanceID: "ins_2", Verb: "bind", State: look.Chip{Tone: "good", Word: "succeeded"}, StartedAt: now}}}, Command: "sutler operations --stuck"},
		look.Audit{Frame: frame("Audit", "audit"), Rows: []look.Deed{{At: now, Who: "ada@example.com", Kind: "person", Action: "instance.provision", Object: "instance/ins_1", Notes: []string{"plan=small"}, Linked: true}}, Command: "sutler audit verify"},
		look.Failure{Frame: frame("Not found", ""), Status: 404, Head: "There is nothing here", Text: "There is no instance \"x\".", Hint: "See what there is.", ID: "err_1", Fields: []look.Choice{{Label: "/name", Note: "is taken"}}, Back: "/"},
	}
}

// empty are all pages with nothing on them.
func empty() []look.Page {
	return []look.Page{
		look.Market{},
		look.Offering{},
		look.Provision{},
		look.Instances{},
		look.Instance{},
		look.Backups{},
		look.Backup{},
		look.Apps{},
		look.App{},
		look.Usage{},
		look.Invoices{},
		look.Invoice{},
		look.SignIn{},
		look.Account{},
		look.Sellers{},
		look.Platforms{},
		look.Work{},
		look.Audit{},
		look.Failure{},
	}
}
