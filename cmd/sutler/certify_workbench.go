package main

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/mysql"
	"github.com/sutlerhq/sutler/providers/nats"
	"github.com/sutlerhq/sutler/providers/postgres"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/rabbitmq"
	"github.com/sutlerhq/sutler/providers/redis"
	"github.com/sutlerhq/sutler/providers/s3"
)

// workbench is a provider under test, and everything that was made there.
type workbench struct {
	harness providertest.Harness
	report  certificate
	closers []func()

	mu   sync.Mutex
	made []string
}

// aparter is for settings whose backends live in a folder of this machine: a running market holds that folder, so they are tried in another.
type aparter interface {
	apart(dir string) (s driverSettings, moved bool)
}

func openWorkbench(ctx context.Context, c config, name, plan string) (_ *workbench, err error) {
	p, err := c.provider(name)
	if err != nil {
		return nil, err
	}
	w := new(workbench)
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	reopen := true
	if a, ok := p.settings.(aparter); ok {
		dir, err := local.Temporary("certify")
		if err != nil {
			return nil, err
		}
		w.closers = append(w.closers, func() { _ = os.RemoveAll(dir) })
		var moved bool
		p.settings, moved = a.apart(dir)
		reopen = !moved
	}
	driver, provider, err := w.open(ctx, c, p)
	if err != nil {
		return nil, err
	}
	offering, bought, err := w.shop(ctx, provider, plan)
	if err != nil {
		return nil, err
	}
	bench, note := benchOf(p.settings, driver, offering.Kind)
	if bench.Login == nil {
		return nil, fault.Unprocessable.Errorf("Nobody knows how an app logs in to a backend of the kind %q, so %s cannot be certified.", offering.Kind, name).
			WithHint("Kinds that can be: postgresql, mysql, redis, rabbitmq, nats, s3. An upstream broker's kinds are named in its settings.")
	}
	w.report = certificate{
		Provider: name, Driver: p.Driver, Region: p.Region, Offering: offering.Name, Plan: bought.Name, Version: thisBuild().String(), At: time.Now().UTC().Truncate(time.Second), Passed: true,
	}
	if note != "" {
		w.report.Notes = append(w.report.Notes, note)
	}
	w.harness = providertest.Harness{
		Bench: bench, Provider: provider, Plan: bought, Other: other(offering, bought), Leftovers: w.leftovers, Prefix: "certify", Made: w.note,
	}
	w.overfill(bought)
	if reopen {
		w.harness.Reopen = func(ctx context.Context) (*providers.Provider, error) {
			_, again, err := w.open(ctx, c, p)
			return again, err
		}
	}
	return w, nil
}

// open opens the provider's driver as a market does, and waits until its backend answers.
func (w *workbench) open(ctx context.Context, c config, p providerConfig) (providers.Driver, *providers.Provider, error) {
	o, err := p.settings.open(context.WithoutCancel(ctx), opening{log: slog.New(slog.DiscardHandler), egress: c.Egress, currency: c.Currency})
	if err != nil {
		return nil, nil, fault.Unavailable.Wrap(err, "The provider %s cannot be opened: %v.", p.Name, err)
	}
	if o.close != nil {
		w.closers = append(w.closers, o.close)
	}
	provider := providers.New(providers.Settings{Name: p.Name, Region: p.Region, Driver: p.Driver, Failures: 1 << 20}, o.driver, nil)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for err = provider.Probe(ctx); err != nil && ctx.Err() == nil; err = provider.Probe(ctx) {
		pause := time.NewTimer(200 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
	if err != nil {
		return nil, nil, fault.ProviderFailed.Wrap(err, "%s does not answer: %v", p.Name, err)
	}
	return o.driver, provider, nil
}

func (w *workbench) shop(ctx context.Context, p *providers.Provider, plan string) (catalog.Offering, catalog.Plan, error) {
	sold, err := p.Offerings(ctx)
	if err != nil {
		return catalog.Offering{}, catalog.Plan{}, err
	}
	return planned(sold, plan)
}

func (w *workbench) overfill(p catalog.Plan) {
	const limit, value = "storage_bytes", 16 << 20
	if p.Limits[limit] > value && w.report.Driver != "fake" {
		w.harness.Tight, w.harness.Overfill = providertest.Tightened(p, limit, value), providertest.Fill(3*value)
	}
}

func (w *workbench) close() {
	for _, f := range slices.Backward(w.closers) {
		f()
	}
	w.closers = nil
}

func (w *workbench) note(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.made, id) {
		w.made = append(w.made, id)
	}
}

func (w *workbench) ids() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.made)
}

// leftovers are those of our own instances that the backend still shows. Of what others have there nothing is known, and nothing said.
func (w *workbench) leftovers(ctx context.Context) (list []string, err error) {
	p := w.harness.Provider
	switch {
	case p.Can(providers.Lists):
		names, err := p.List(ctx)
		for _, id := range w.ids() {
			if slices.Contains(names, p.NameOf(id)) {
				list = append(list, id)
			}
		}
		return list, err
	case p.Can(providers.Inspects):
		for _, id := range w.ids() {
			in, err := p.Inspect(ctx, providers.Instance{ID: id, Plan: w.harness.Plan})
			if err != nil {
				return nil, err
			}
			if in.Exists {
				list = append(list, id)
			}
		}
	}
	return list, nil
}

// sweep removes everything that was made, whatever the checks removed already, and names what it could not.
func (w *workbench) sweep(ctx context.Context) (list []string) {
	for _, id := range w.ids() {
		if err := w.harness.Remove(ctx, id); err != nil {
			list = append(list, id)
		}
	}
	return list
}

// benchOf is how a backend is used and abused: by its kind, whoever sells it, with what the driver's own tests try. Of a kind that nobody knows its
// Login is nil. The note is about what cannot be tried here.
func benchOf(s driverSettings, driver providers.Driver, kind catalog.Kind) (b providertest.Bench, note string) {
	if f, ok := driver.(*fake.Driver); ok {
		return providertest.BenchOf(f.Login, f.Trespass, f.Cling), ""
	}
	switch kind {
	case "postgresql":
		b = providertest.BenchOf(postgres.Login, postgres.Trespass, postgres.Cling)
	case "mysql":
		b = providertest.BenchOf(mysql.Login, mysql.Trespass, mysql.Cling)
	case "redis":
		b = providertest.BenchOf(redis.Login, redis.Trespass, redis.Cling)
	case "rabbitmq":
		api := managementOf(s)
		if api == "" {
			note = "trespass_refused tries the management API only where the credentials name it in management_url: the settings do not tell it."
		}
		b = providertest.BenchOf(rabbitmq.Login, rabbitmq.Trespass(api), rabbitmq.Cling)
		b.Lag = rabbitmq.Lag
	case "nats":
		b = providertest.BenchOf(nats.Login, nats.Trespass, nats.Cling)
	case "s3":
		b = providertest.BenchOf(s3.Login, s3.Trespass, s3.Cling)
	}
	return b, note
}

// managementOf is where a RabbitMQ server's management API is, without the administrator's login; empty: not told.
func managementOf(s driverSettings) string {
	own, ok := s.(*rabbitmqSettings)
	if !ok {
		return ""
	}
	u, err := url.Parse(own.Admin.Reveal())
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
