package main

import (
	"context"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/rabbitmq"
	"github.com/sutlerhq/sutler/providers/s3"
)

// devS3 is an S3 gateway that is started with the market and ends with it.
type devS3 struct{ dir, password string }

func (*devS3) check(*conf.Document, string, *config) {}

func (*devS3) offerings() []catalog.Offering { return new(s3Settings).offerings() }

func (s *devS3) open(ctx context.Context, o opening) (opened, error) {
	server := local.Background(context.WithoutCancel(ctx), "The S3 server", o.log, func(ctx context.Context) (*local.Server, error) {
		return local.S3(ctx, s.dir, s.password)
	})
	driver := s3.New(s3.Settings{Transport: home(), Server: func() (s3.Server, error) {
		running, err := server.Server()
		if err != nil {
			return s3.Server{}, err
		}
		return s3.Server{Endpoint: "http://" + running.Address, AccessKey: running.User, Secret: running.Password}, nil
	}})
	return opened{driver: driver, close: server.Stop}, nil
}

// devRabbitMQ is a RabbitMQ server that starts with the first instance: it takes seconds and 150 MB, which nobody should pay who asked for none.
// Once there was one it starts with the market, for apps may be bound to it.
type devRabbitMQ struct{ dir, password string }

func (*devRabbitMQ) check(*conf.Document, string, *config) {}

func (*devRabbitMQ) offerings() []catalog.Offering { return new(rabbitmqSettings).offerings() }

func (s *devRabbitMQ) open(ctx context.Context, o opening) (opened, error) {
	r := &sleepingRabbit{start: func() *local.Later {
		return local.Background(context.WithoutCancel(ctx), "RabbitMQ", o.log, func(ctx context.Context) (*local.Server, error) {
			return local.RabbitMQ(ctx, s.dir, s.password, false)
		})
	}}
	r.Driver = rabbitmq.New(rabbitmq.Settings{Server: r.server, Transport: home()})
	if _, err := os.Stat(s.dir); err == nil {
		r.expected = true
		r.wake()
	}
	return opened{driver: r, close: r.close}, nil
}

// sleepingRabbit is a driver whose server starts when the first instance is made.
type sleepingRabbit struct {
	*rabbitmq.Driver
	start func() *local.Later

	mu       sync.Mutex
	later    *local.Later // nil while it sleeps
	expected bool         // it has answered, or it was in use before this process
	closed   bool
}

func (r *sleepingRabbit) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.later == nil && !r.closed {
		r.later = r.start()
	}
}

func (r *sleepingRabbit) server() (rabbitmq.Server, error) {
	r.mu.Lock()
	later := r.later
	r.mu.Unlock()
	if later == nil {
		return rabbitmq.Server{}, fault.Unavailable.Errorf("RabbitMQ starts with its first instance.")
	}
	running, err := later.Server()
	if err != nil {
		return rabbitmq.Server{}, err
	}
	admin := url.URL{Scheme: "http", Host: running.Admin, User: url.UserPassword(running.User, running.Password)}
	return rabbitmq.Server{Admin: admin.String(), AMQP: running.Address}, nil
}

func (r *sleepingRabbit) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed = true; r.later != nil {
		r.later.Stop()
	}
}

// Provision wakes the server, and waits for it without calling that a failure.
func (r *sleepingRabbit) Provision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	r.wake()
	if _, err := r.server(); err != nil {
		return providers.Progress{Note: err.Error(), RetryAfter: 500 * time.Millisecond}, nil //nolint:nilerr // it is tried again until the plan's time is up
	}
	return r.Driver.Provision(ctx, i)
}

// Probe finds nothing wrong with a server that sleeps, or wakes for the first time: instances may be ordered all the while.
func (r *sleepingRabbit) Probe(ctx context.Context) error {
	err := r.Driver.Probe(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.expected = true
	}
	if !r.expected {
		return nil
	}
	return err
}
