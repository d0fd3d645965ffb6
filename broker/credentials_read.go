package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// grant is what a binding's credentials column holds, sealed.
type grant struct {
	Values    map[string]any       `json:"values"`
	Endpoints []providers.Endpoint `json:"endpoints,omitempty"`
}

// Credentials opens a ready binding's credentials; it needs credentials:read and is audited before it answers.
func (b *Broker) Credentials(ctx context.Context, who identity.Principal, binding string) (Credentials, error) {
	row, err := b.seenBinding(ctx, who, binding)
	if err == nil {
		err = may(who, identity.CredentialsRead, row.scope(), noBinding(binding))
	}
	if err != nil {
		return Credentials{}, err
	}
	switch row.State {
	case Ready, Expiring:
	case Creating:
		return Credentials{}, fault.Busy.Errorf("The binding is still being made. Try again when it is ready.").WithCode("ConcurrencyError")
	default:
		return Credentials{}, fault.Gone.Errorf("The binding is %s; it has no credentials any more.", row.State)
	}
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		return b.record(ctx, who, row.scope(), "credentials.read", "binding/"+row.ID, map[string]string{"instance": row.Instance})
	})
	if err != nil {
		return Credentials{}, err
	}
	return b.reveal(ctx, row)
}

// AppCredentials opens the credentials of all ready bindings of an app (not of expiring ones: what replaced them is there), in the order of their making; audited as one reading.
func (b *Broker) AppCredentials(ctx context.Context, who identity.Principal, app string) ([]Credentials, error) {
	rows, err := b.listBindings(ctx, inUse, app)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	scope := rows[0].scope() // an app is in one project, so is all it is bound to
	if err := may(who, identity.CredentialsRead, scope, fault.NotFound.Errorf("There is no app %q.", app)); err != nil {
		return nil, err
	}
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		return b.record(ctx, who, scope, "credentials.read", "app/"+app, map[string]string{"bindings": strconv.Itoa(len(rows))})
	})
	if err != nil {
		return nil, err
	}
	list := make([]Credentials, 0, len(rows))
	for _, row := range rows {
		c, err := b.reveal(ctx, row)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func (b *Broker) reveal(ctx context.Context, row bindingRow) (c Credentials, err error) {
	plain, err := b.Box.Open(ctx, row.Org, "binding/"+row.ID+"/credentials", row.Credentials)
	if err != nil {
		return c, err
	}
	var g grant
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber() // a port stays 5432
	if err := d.Decode(&g); err != nil {
		return c, err
	}
	r, _, err := b.findInstance(ctx, "id = ?", row.Instance)
	if err != nil {
		return c, err
	}
	c.Values, c.Endpoints = g.Values, g.Endpoints
	if c.Instance, err = b.opened(ctx, r); err != nil {
		return c, err
	}
	c.Binding, err = b.openedBinding(ctx, row, r)
	return c, err
}
