package nats

import (
	"crypto/sha256"
	"path/filepath"
	"testing"

	"github.com/nats-io/jwt/v2"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// FuzzLogin: what the server passes on of a login is what anybody on the network sent. Only the one login that there is gets in, and neither a
// request that is none nor a name that is a path ends in anything but a refusal.
func FuzzLogin(f *testing.F) {
	d := &Driver{folder: folder(f.TempDir())}
	if err := d.folder.make(); err != nil {
		f.Fatal(err)
	}
	var err error
	if d.keys, err = loadKeys(filepath.Join(string(d.folder), "master.key")); err != nil {
		f.Fatal(err)
	}
	right := login{Name: "ubnd", Account: "AACC", Hash: hashed("right")}
	if err := d.folder.putLogin(right); err != nil {
		f.Fatal(err)
	}
	if err := d.folder.putLogin(login{Name: "other", Account: "../master.key", Hash: hashed("right")}); err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"ubnd", "other", "", "../logins/ubnd", "../../master.key", "u\x00", "/etc/passwd", "ubnd.json"} {
		f.Add(name, "right", []byte(name))
		f.Add(name, "", []byte("eyJ0eXAiOiJKV1QifQ.e30."))
	}
	kp, err := nkeys.CreateUser()
	if err != nil {
		f.Fatal(err)
	}
	key, err := kp.PublicKey()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, password string, raw []byte) {
		d.answer(&natsgo.Msg{Data: raw}) // nobody to answer to: it must end
		l, found := d.folder.getLogin(name)
		if found && l.Name != name {
			t.Fatalf("%q is taken for %q", name, l.Name)
		}
		r := jwt.NewAuthorizationRequestClaims(key)
		r.UserNkey, r.ConnectOptions = key, jwt.ConnectOptions{Username: name, Password: password}
		if token, err := d.judge(r); err == nil || token != "" {
			t.Fatalf("%q with %q is let in to accounts that do not exist", name, password)
		}
	})
}

func hashed(password string) []byte {
	h := sha256.Sum256([]byte(password))
	return h[:]
}
