package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
)

// unanswered is how long a question to the server may stay without an answer: who may not ask gets none.
const unanswered = 100 * time.Millisecond

// Trespass listens with the login of mine while theirs talks, looks for their streams, asks the servers for what is the operator's, and logs in
// with what it has not been given. It names the first way in, "" when there is none. It changes nothing.
func Trespass(ctx context.Context, mine, theirs map[string]any) (way string, err error) {
	spy, err := Dial(mine)
	if err != nil {
		return "", err
	}
	defer spy.Close()
	talker, err := Dial(theirs)
	if err != nil {
		return "", err
	}
	defer talker.Close()
	i := intruder{spy: spy, talker: talker, mine: mine, theirs: theirs}
	if i.account, err = accountOf(talker); err != nil {
		return "", err
	}
	if i.own, err = accountOf(spy); err != nil {
		return "", err
	}
	for _, try := range []func(context.Context) (string, error){i.overhear, i.stand, i.search, i.ask, i.enter} {
		if way, err := try(ctx); way != "" || err != nil {
			return way, err
		}
	}
	return "", nil
}

// intruder is a tenant who tries what is another's: spy is its connection, talker the other's.
type intruder struct {
	spy, talker  *natsgo.Conn
	mine, theirs map[string]any
	own, account string // public keys of one's own account and of the other's
}

// accountOf asks the server which account a connection stands in.
func accountOf(c *natsgo.Conn) (string, error) {
	m, err := c.Request("$SYS.REQ.USER.INFO", nil, patience)
	if err != nil {
		return "", fmt.Errorf("who one is: %w", err)
	}
	var about struct {
		Data struct {
			Account string `json:"account"`
		} `json:"data"`
	}
	if err := json.Unmarshal(m.Data, &about); err != nil || about.Data.Account == "" {
		return "", errors.Join(errors.New("the server tells nobody who he is"), err)
	}
	return about.Data.Account, nil
}

// overhear listens to everything while the other publishes, asks and answers.
func (i intruder) overhear(context.Context) (string, error) {
	var heard []*natsgo.Subscription
	for _, subject := range []string{">", "*", "secret", "_INBOX.>", "$SYS.>", "$JS.>", "$KV.>", "$SYS.ACCOUNT." + i.account + ".>"} {
		s, err := i.spy.SubscribeSync(subject)
		if err != nil {
			return "", err
		}
		heard = append(heard, s)
	}
	if err := i.spy.Flush(); err != nil {
		return "", err
	}
	answering, err := i.talker.Subscribe("question", func(m *natsgo.Msg) { _ = m.Respond([]byte("of theirs")) })
	if err != nil {
		return "", err
	}
	defer func() { _ = answering.Unsubscribe() }()
	if err := errors.Join(i.talker.Publish("secret", []byte("of theirs")), i.talker.Publish("$KV.notes.other", []byte("of theirs")), i.talker.Flush()); err != nil {
		return "", err
	}
	if _, err := i.talker.Request("question", nil, patience); err != nil {
		return "", err
	}
	if err := i.spy.Flush(); err != nil { // what was meant for the spy is here before the answer
		return "", err
	}
	for _, s := range heard {
		if n, _, err := s.Pending(); err != nil || n > 0 {
			return "hearing " + s.Subject, err
		}
		if err := s.Unsubscribe(); err != nil {
			return "", err
		}
	}
	return "", nil
}

// stand stands in the other's queue, asks its services, and speaks to it.
func (i intruder) stand(context.Context) (string, error) {
	work, err := i.spy.QueueSubscribeSync("work", "workers")
	if err != nil {
		return "", err
	}
	theirs, err := i.talker.QueueSubscribeSync("work", "workers")
	if err != nil {
		return "", err
	}
	inbox, err := i.talker.SubscribeSync(">")
	if err != nil {
		return "", err
	}
	if err := errors.Join(i.spy.Flush(), i.talker.Flush()); err != nil {
		return "", err
	}
	for range 20 {
		if err := i.talker.Publish("work", []byte("of theirs")); err != nil {
			return "", err
		}
	}
	if err := errors.Join(i.talker.Flush(), i.spy.Publish("planted", nil), i.spy.Publish("_INBOX.planted", nil), i.spy.Flush(), i.talker.Flush()); err != nil {
		return "", err
	}
	if n, _, err := work.Pending(); err != nil || n > 0 {
		return "a place in their queue", err
	}
	if n, _, err := theirs.Pending(); err != nil || n != 20 {
		return "", fmt.Errorf("of 20 messages in one's own queue, %d came: %w", n, err)
	}
	if n, _, err := inbox.Pending(); err != nil || n > 20 {
		return "speaking to them", err
	}
	return "", errors.Join(work.Unsubscribe(), theirs.Unsubscribe(), inbox.Unsubscribe())
}

// search looks for the bucket that holds "secret" in the other's account.
func (i intruder) search(ctx context.Context) (string, error) {
	js, err := jetstream.New(i.spy)
	if err != nil {
		return "", err
	}
	s, err := js.Stream(ctx, "KV_notes")
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
		return "", nil // one's own is not there yet either
	}
	if err != nil {
		return "", err
	}
	if _, err := s.GetLastMsgForSubject(ctx, "$KV.notes.secret"); err == nil {
		return "their streams", nil
	}
	return "", nil
}

// ask asks the servers for what is the operator's, and tries to change what they know of accounts.
func (i intruder) ask(context.Context) (string, error) {
	forged, err := i.claims()
	if err != nil {
		return "", err
	}
	server, there := i.spy.ConnectedServerId(), "$SYS.REQ.ACCOUNT."+i.account+"."
	questions := map[string]string{
		askServers: "", askConns: `{"auth":true}`, askStreams: `{"accounts":true}`, askTraffic: `{"accounts":["` + i.account + `"]}`, listClaims: "",
		"$SYS.REQ.SERVER.PING.STATSZ": "", "$SYS.REQ.SERVER.PING.VARZ": "", "$SYS.REQ.SERVER.PING.ACCOUNTZ": "", "$SYS.REQ.SERVER.PING.SUBSZ": "",
		"$SYS.REQ.SERVER." + server + ".VARZ": "", "$SYS.REQ.SERVER." + server + ".CONNZ": `{"auth":true}`, "$SYS.REQ.SERVER." + server + ".RELOAD": "",
		there + "CLAIMS.LOOKUP": "", there + "CONNZ": `{"auth":true}`, there + "INFO": "", there + "SUBSZ": "", there + "JSZ": "", there + "CONNS": "",
		"$JS.API.ACCOUNT.PURGE." + i.account: "", pushClaims: forged, dropClaims: forged, "$SYS.REQ.ACCOUNT." + i.own + ".CLAIMS.UPDATE": forged,
	}
	for _, subject := range slices.Sorted(maps.Keys(questions)) {
		m, err := i.spy.Request(subject, []byte(questions[subject]), unanswered)
		if err == nil && len(m.Data) > 0 && !i.aboutOneself(m.Data) {
			return "the server's answer to " + subject, nil
		}
	}
	return "", nil
}

// claims are those of one's own account without any limit, signed by a key that nobody trusts.
func (i intruder) claims() (string, error) {
	operator, err := nkeys.CreateOperator()
	if err != nil {
		return "", err
	}
	return jwt.NewAccountClaims(i.own).Encode(operator)
}

// aboutOneself tells whether an answer of the server is about this tenant alone: its own connections, its own traffic.
func (i intruder) aboutOneself(answer []byte) bool {
	text := string(answer)
	if strings.Contains(text, i.account) || strings.Contains(text, fmt.Sprint(i.theirs["username"])) {
		return false
	}
	return strings.Contains(text, fmt.Sprint(i.mine["username"])) || strings.Contains(text, i.own) || strings.Contains(text, `"account_statz":null`)
}

// enter logs in without a login, with the other's name and one's own secret, and as a user of the other's account whom nobody made.
func (i intruder) enter(context.Context) (string, error) {
	for name, credentials := range i.forgeries() {
		if c, err := Dial(credentials); err == nil {
			c.Close()
			return name, nil
		}
	}
	if i.theirs["creds"] == nil {
		return "", nil // logins that the servers ask a callout about: nothing in them can be signed
	}
	for name, issuer := range map[string]string{"a login of their account signed by a stranger": i.account, "a login of one's own account signed by a stranger": i.own} {
		creds, err := forgedCreds(issuer)
		if err != nil {
			return "", err
		}
		credentials := maps.Clone(i.theirs)
		credentials["creds"] = creds
		if c, err := Dial(credentials); err == nil {
			c.Close()
			return name, nil
		}
	}
	return "", nil
}

func (i intruder) forgeries() map[string]map[string]any {
	nobody, mixed := maps.Clone(i.theirs), maps.Clone(i.theirs)
	delete(nobody, "creds")
	nobody["uri"] = strings.Replace(fmt.Sprint(i.theirs["uri"]), fmt.Sprint(i.theirs["username"], ":", i.theirs["password"], "@"), "", 1)
	for _, part := range []string{"uri", "creds"} {
		if text, ok := i.theirs[part].(string); ok {
			mixed[part] = strings.Replace(text, fmt.Sprint(i.theirs["password"]), fmt.Sprint(i.mine["password"]), 1)
		}
	}
	return map[string]map[string]any{"no login at all": nobody, "their name with one's own secret": mixed}
}

// forgedCreds is a login of an account by a key that the account does not know.
func forgedCreds(account string) (string, error) {
	signer, err := nkeys.CreateAccount()
	if err != nil {
		return "", err
	}
	user, err := nkeys.CreateUser()
	if err != nil {
		return "", err
	}
	public, err := user.PublicKey()
	if err != nil {
		return "", err
	}
	seed, err := user.Seed()
	if err != nil {
		return "", err
	}
	claims := jwt.NewUserClaims(public)
	claims.IssuerAccount = account
	token, err := claims.Encode(signer)
	if err != nil {
		return "", err
	}
	creds, err := jwt.FormatUserConfig(token, seed)
	return string(creds), err
}

// Cling holds on to the account: with a stream of its own, a durable consumer with messages that it never acknowledges, a queue, and a request
// that waits for an answer.
func Cling(ctx context.Context, a *App) error {
	if _, err := a.js.CreateStream(ctx, jetstream.StreamConfig{Name: "mine", Subjects: []string{"mine.>"}, MaxBytes: 1 << 16}); err != nil {
		return err
	}
	for _, subject := range []string{"mine.one", `mine.größe`} {
		if _, err := a.js.Publish(ctx, subject, []byte("x")); err != nil {
			return err
		}
	}
	c, err := a.js.CreateConsumer(ctx, "mine", jetstream.ConsumerConfig{Durable: "clinging", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		return err
	}
	if m, err := c.Next(); err != nil || m == nil {
		return fmt.Errorf("a message of one's own: %w", err)
	}
	if _, err := a.Conn.QueueSubscribe("work", "workers", func(*natsgo.Msg) {}); err != nil {
		return err
	}
	inbox := a.Conn.NewRespInbox()
	if _, err := a.Conn.SubscribeSync(inbox); err != nil {
		return err
	}
	return errors.Join(a.Conn.PublishRequest("work", inbox, nil), a.Conn.Flush())
}
