package nats

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/sutlerhq/sutler/internal/fault"
)

// patience is how long the servers of a cluster are waited for, all together.
const patience = 3 * time.Second

// Subjects of the system account that we use.
const (
	askServers  = "$SYS.REQ.SERVER.PING"
	askConns    = "$SYS.REQ.SERVER.PING.CONNZ"
	askStreams  = "$SYS.REQ.SERVER.PING.JSZ"
	askTraffic  = "$SYS.REQ.ACCOUNT.PING.STATZ"
	pushClaims  = "$SYS.REQ.CLAIMS.UPDATE"
	dropClaims  = "$SYS.REQ.CLAIMS.DELETE"
	listClaims  = "$SYS.REQ.CLAIMS.LIST"
	fetchClaims = "$SYS.REQ.ACCOUNT.%s.CLAIMS.LOOKUP"
	kickClient  = "$SYS.REQ.SERVER.%s.KICK"
)

// servers tells how many servers there are, by what the first one that answers says.
func (c *Cluster) servers(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m, err := c.system.RequestWithContext(ctx, askServers, nil)
	if err != nil {
		return 0, away(err)
	}
	var about struct {
		Stats struct {
			Servers int `json:"active_servers"`
		} `json:"statsz"`
	}
	if err := json.Unmarshal(m.Data, &about); err != nil {
		return 0, fault.ProviderFailed.Wrap(err, "The NATS server says what it is in no form that we know.")
	}
	return max(1, about.Stats.Servers), nil
}

func away(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, natsgo.ErrTimeout) {
		return fault.Timeout.Wrap(err, "The NATS servers did not answer in time.")
	}
	return fault.Unavailable.Wrap(err, "The NATS servers do not answer.")
}

// gather asks all servers at once and gives the answer of each; fewer answers than there are servers is an error.
func (c *Cluster) gather(ctx context.Context, subject string, question any) ([][]byte, error) {
	n, err := c.servers(ctx)
	if err != nil {
		return nil, err
	}
	var data []byte
	switch q := question.(type) {
	case nil:
	case string:
		data = []byte(q)
	default:
		if data, err = json.Marshal(q); err != nil {
			return nil, err
		}
	}
	inbox := natsgo.NewInbox()
	answers, err := c.system.SubscribeSync(inbox)
	if err != nil {
		return nil, away(err)
	}
	defer func() { _ = answers.Unsubscribe() }()
	if err := c.system.PublishRequest(subject, inbox, data); err != nil {
		return nil, away(err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var all [][]byte
	for len(all) < n {
		m, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return all, fault.Unavailable.Wrap(err, "Only %d of %d NATS servers answered.", len(all), n)
		}
		all = append(all, m.Data)
	}
	return all, nil
}

// answered is what a server says to a question about itself: who it is, and the data or what went wrong.
type answered[T any] struct {
	Server struct {
		ID string `json:"id"`
	} `json:"server"`
	Data  T `json:"data"`
	Error *struct {
		Description string `json:"description"`
	} `json:"error"`
}

// ask is gather for answers of one shape.
func ask[T any](ctx context.Context, c *Cluster, subject string, question any) ([]answered[T], error) {
	raw, err := c.gather(ctx, subject, question)
	if err != nil {
		return nil, err
	}
	list := make([]answered[T], len(raw))
	for n, r := range raw {
		if err := json.Unmarshal(r, &list[n]); err != nil {
			return nil, fault.ProviderFailed.Wrap(err, "A NATS server answered in no form that we know.")
		}
	}
	return list, nil
}

// tell asks all servers to change what they know of accounts; each must say that it did.
func (c *Cluster) tell(ctx context.Context, subject, token string) error {
	list, err := ask[json.RawMessage](ctx, c, subject, token)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.Error != nil {
			return fault.ProviderFailed.Errorf("A NATS server refused a change of its accounts: %s", a.Error.Description).
				WithHint("The key must be the operator's or a signing key of it, and every server's resolver of type full with allow_delete.")
		}
	}
	return nil
}
