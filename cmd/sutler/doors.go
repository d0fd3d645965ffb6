package main

import (
	"time"

	"github.com/sutlerhq/sutler/broker/osb"
	"github.com/sutlerhq/sutler/identity/issuer"
	"github.com/sutlerhq/sutler/identity/signin"
	"github.com/sutlerhq/sutler/web"
	"github.com/sutlerhq/sutler/web/api"
	"github.com/sutlerhq/sutler/web/pages"
)

// syncWait is how long a synchronous OSB answer waits for its operation before it says 202.
const syncWait = 10 * time.Second

// doors makes everything that answers on the one port. Its close ends the live pages.
func (n *node) doors(o nodeOptions) error {
	ours, err := issuer.New(issuer.Config{PublicURL: n.config.PublicURL, DB: n.db, Directory: n.directory, Keys: n.box, Log: n.log})
	if err != nil {
		return err
	}
	sessions := web.NewSessions(n.db, n.config.PublicURL, n.log)
	signIn, err := signin.New(signin.Config{PublicURL: n.config.PublicURL, DB: n.db, Directory: n.directory, Sessions: sessions, Issuers: n.issuers(ours), Log: n.log})
	if err != nil {
		return err
	}
	look, err := pages.New(pages.Deps{Broker: n.broker, Ledger: n.ledger, Directory: n.directory, Audit: n.audit, Clock: n.clock, Log: n.log, Dev: o.dev})
	if err != nil {
		return err
	}
	rest := api.Deps{Broker: n.broker, Ledger: n.ledger, Directory: n.directory, Audit: n.audit, Clock: n.clock, Ingested: n.meters.ingested, Log: n.log}
	if o.dev {
		rest.Calendar = n.calendar
	}
	n.web = web.New(web.Config{
		PublicURL: n.config.PublicURL, DB: n.db, Directory: n.directory, Sessions: sessions,
		API: api.New(rest), Pages: look, Issuer: ours, SignIn: signIn, Metrics: n.meters.handler(), Answered: n.meters.request,
		OSB:   osb.Handler(osb.Config{Broker: n.broker, Directory: n.directory, Log: n.log, SyncWait: syncWait}),
		Ready: n.db.Ping, Stopping: n.broker.StopWaiting, Bearer: ours.Verify, TrustedProxies: n.config.TrustedProxies, Log: n.log,
	})
	return nil
}
