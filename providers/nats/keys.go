package nats

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/sutlerhq/sutler/providers"
)

// pair is a key pair with its public name.
type pair struct {
	nkeys.KeyPair
	public string
}

// keys are the server's own keys, all derived from one random file: the operator signs accounts, the system account belongs to the
// server, the entrance account is where a connection stands until its login is judged, the doorman is the callout's own user.
type keys struct {
	master                              []byte
	operator, system, entrance, doorman pair
}

// loadKeys reads the master key, or makes it.
func loadKeys(file string) (k keys, err error) {
	k.master, err = os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		k.master = make([]byte, 32)
		_, _ = rand.Read(k.master) // never fails: the runtime ends the process instead
		err = replace(file, k.master)
	}
	if err != nil {
		return k, err
	}
	for _, own := range []struct {
		to     *pair
		prefix nkeys.PrefixByte
		use    string
	}{
		{&k.operator, nkeys.PrefixByteOperator, "operator"},
		{&k.system, nkeys.PrefixByteAccount, "system account"},
		{&k.entrance, nkeys.PrefixByteAccount, "entrance account"},
		{&k.doorman, nkeys.PrefixByteUser, "doorman"},
	} {
		if *own.to, err = k.derive(own.prefix, own.use); err != nil {
			return k, err
		}
	}
	return k, nil
}

func (k keys) derive(prefix nkeys.PrefixByte, use string) (p pair, err error) {
	raw, err := providers.Key(k.master, "nats "+use, 32)
	if err != nil {
		return p, err
	}
	if p.KeyPair, err = nkeys.FromRawSeed(prefix, raw); err != nil {
		return p, fmt.Errorf("nats key of the %s: %w", use, err)
	}
	p.public, err = p.PublicKey()
	return p, err
}

// account gives the key pair of an instance's account: the same one every time.
func (k keys) account(instance string) (pair, error) {
	return k.derive(nkeys.PrefixByteAccount, "account "+providers.Name("i", instance))
}

func (k keys) operatorClaims() ([]*jwt.OperatorClaims, error) {
	c := jwt.NewOperatorClaims(k.operator.public)
	c.Name, c.SystemAccount = "sutler", k.system.public
	token, err := c.Encode(k.operator)
	if err != nil {
		return nil, err
	}
	signed, err := jwt.DecodeOperatorClaims(token)
	return []*jwt.OperatorClaims{signed}, err
}

// sentinel is the user that every connection is until its login is judged; it may do nothing.
func (k keys) sentinel() (string, error) {
	user, err := k.derive(nkeys.PrefixByteUser, "sentinel")
	if err != nil {
		return "", err
	}
	c := jwt.NewUserClaims(user.public)
	c.Name, c.BearerToken = "sentinel", true
	c.Pub.Deny.Add(">")
	c.Sub.Deny.Add(">")
	return c.Encode(k.entrance)
}

// writeOwnAccounts puts the system's and the entrance's accounts into the folder.
func (d *Driver) writeOwnAccounts() error {
	system := jwt.NewAccountClaims(d.keys.system.public)
	system.Name = "SYS"
	entrance := jwt.NewAccountClaims(d.keys.entrance.public)
	entrance.Name = "ENTRANCE"
	entrance.EnableExternalAuthorization(d.keys.doorman.public)
	entrance.Authorization.AllowedAccounts.Add(jwt.AnyAccount)
	for _, c := range []*jwt.AccountClaims{system, entrance} {
		token, err := c.Encode(d.keys.operator)
		if err != nil {
			return err
		}
		if err := d.folder.Store(c.Subject, token); err != nil {
			return err
		}
	}
	return nil
}
