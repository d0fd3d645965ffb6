package directory

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
)

// CreateProviderKey makes the bearer secret with which a provider reports usage, and returns it once. A new key ends the former one.
func (d *Directory) CreateProviderKey(ctx context.Context, who identity.Principal, provider string) (string, error) {
	if err := inMarket(who, identity.ProviderManage); err != nil {
		return "", err
	}
	if err := checkName("/provider", provider); err != nil {
		return "", err
	}
	secret := TokenPrefix + newSecret()
	err := d.db.Tx(ctx, func(ctx context.Context) error {
		if err := d.store.setProviderKey(ctx, provider, digest(secret), d.now()); err != nil {
			return err
		}
		return d.note(ctx, who, identity.Scope{}, "provider.key", "provider/"+provider, nil)
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

func (d *Directory) byProviderKey(ctx context.Context, hash string, unknown error) (identity.Principal, error) {
	name, found, err := d.store.providerByHash(ctx, hash)
	if err == nil && !found {
		err = unknown
	}
	if err != nil {
		return identity.Principal{}, err
	}
	return identity.Principal{
		Kind: identity.Provider, ID: name, Name: name,
		Grants: []identity.Grant{{Role: identity.RoleProvider, Provider: name}},
	}, nil
}
