package nats

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// suspended is the tag on an account that nobody may log in to.
const suspended = "suspended"

// serveLogins connects the doorman, who answers the server's question about every login.
func (d *Driver) serveLogins() error {
	c := jwt.NewUserClaims(d.keys.doorman.public)
	c.Name = "doorman"
	token, err := c.Encode(d.keys.entrance)
	if err != nil {
		return err
	}
	sign := func(nonce []byte) ([]byte, error) { return d.keys.doorman.Sign(nonce) }
	d.callout, err = natsgo.Connect("", natsgo.InProcessServer(d.server), natsgo.Name("doorman"), natsgo.MaxReconnects(-1),
		natsgo.UserJWT(func() (string, error) { return token, nil }, sign))
	if err != nil {
		return fmt.Errorf("nats: the callout service cannot connect: %w", err)
	}
	if _, err := d.callout.Subscribe(server.AuthCalloutSubject, d.answer); err != nil {
		return err
	}
	return d.callout.Flush()
}

// answer judges one login. Whoever is refused is not told why. The lock is held until the answer is on its way: see settle.
func (d *Driver) answer(m *natsgo.Msg) {
	request, err := jwt.DecodeAuthorizationRequestClaims(string(m.Data))
	if err != nil {
		return // not the server's: no answer
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	response := jwt.NewAuthorizationResponseClaims(request.UserNkey)
	response.Audience = request.Server.ID
	if response.Jwt, err = d.judge(request); err != nil {
		response.Error = "refused"
	}
	if token, err := response.Encode(d.keys.entrance); err == nil {
		_ = m.Respond([]byte(token)) // the connection has gone: the server refuses the login by itself
	}
}

// judge gives the JWT of the account's user that the login is good for, valid for this connection's key alone.
func (d *Driver) judge(request *jwt.AuthorizationRequestClaims) (string, error) {
	o := request.ConnectOptions
	l, found := d.folder.getLogin(o.Username)
	given := sha256.Sum256([]byte(o.Password))
	if !found || subtle.ConstantTimeCompare(given[:], l.Hash) != 1 {
		return "", errRefused
	}
	claims, err := d.claims(l.Account)
	if err != nil || claims.Tags.Contains(suspended) {
		return "", errRefused
	}
	var account nkeys.KeyPair
	if account, err = d.signerOf(claims); err != nil {
		return "", err
	}
	user := jwt.NewUserClaims(request.UserNkey)
	user.Name = l.Name
	return user.Encode(account)
}
