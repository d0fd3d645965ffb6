package redis

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/providers"
)

// ownRules are what a tenant may do on a server of his own: everything but what changes the server, makes it connect somewhere, or looks
// over the shoulder of another binding.
func ownRules() []any {
	return []any{
		"~*", "&*", "+@all", "-@admin", "-@dangerous", "+keys", "+flushdb", "+flushall", "+sort", "+sort_ro", "+restore", "+info",
		"+acl|whoami",
	}
}

// sharedRules are what a tenant may do on a shared server: commands that name their keys, and none that shows or touches what others have.
// CLIENT TRACKING would tell of every key that anybody changes, PUBSUB of every channel, COPY writes into other databases.
func sharedRules(prefix string) []any {
	return []any{
		"resetkeys", "~" + prefix + "*", "resetchannels", "&" + prefix + "*", "-@all", "+@read", "+@write", "+@connection", "+@transaction", "+@pubsub",
		"-@dangerous", "-@admin", "-@scripting", "-scan", "-randomkey", "-dbsize", "-keys", "-swapdb", "-move", "-copy", "-select", "-pubsub", "-function", "-lolwut",
		"-client|tracking", "-client|caching", "-client|list", "-client|trackinginfo", "-client|getredir",
	}
}

// bindingUser tells the users of bindings from our own.
var bindingUser = regexp.MustCompile(`^u[a-z2-7]{26}$`)

// A selector without commands says which binding a user is of: it permits nothing, and the server keeps it with the user.
const label = "sutler-binding-"

var labelled = regexp.MustCompile(`\(~` + label + `([A-Za-z0-9_-]*)`)

func labelOf(binding string) string {
	return "(~" + label + base64.RawURLEncoding.EncodeToString([]byte(binding)) + " -@all)"
}

// member is a binding's user.
type member struct{ user, binding string }

// members lists the users of the instance's bindings.
func (s *site) members(ctx context.Context) ([]member, error) {
	lines, err := s.ACLList(ctx).Result()
	if err != nil {
		return nil, classed(err)
	}
	var list []member
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 3 || !bindingUser.MatchString(f[1]) || s.prefix != "" && !slices.Contains(f, "~"+s.prefix+"*") {
			continue
		}
		m := member{user: f[1]}
		if found := labelled.FindStringSubmatch(line); found != nil {
			id, _ := base64.RawURLEncoding.DecodeString(found[1]) // ours
			m.binding = string(id)
		}
		list = append(list, m)
	}
	return list, nil
}

// marks are users that nobody can be, whose being there says something of the instance.
func (s *site) madeMark() string { return providers.Name("made", s.instance) }

func (s *site) shutMark() string { return providers.Name("shut", s.instance) }

func (s *site) has(ctx context.Context, user string) (bool, error) {
	users, err := s.Do(ctx, "ACL", "USERS").StringSlice()
	return slices.Contains(users, user), classed(err)
}

// made gives errNotThere when the instance is not, or not wholly, made.
func (s *site) made(ctx context.Context) error {
	there, err := s.has(ctx, s.madeMark())
	if err == nil && !there {
		return notThere()
	}
	return err
}

// put makes a binding's user what it should be.
func (s *site) put(ctx context.Context, binding, password string) error {
	rules := ownRules()
	if s.prefix != "" {
		rules = sharedRules(s.prefix)
	}
	sum := sha256.Sum256([]byte(password))
	shut, err := s.has(ctx, s.shutMark())
	if err != nil {
		return err
	}
	door := "on" // at once: another call for the same binding may have given the login out already
	if shut {
		door = "off"
	}
	args := append([]any{"ACL", "SETUSER", userOf(binding), "reset", door, "#" + hex.EncodeToString(sum[:])}, rules...)
	if err := s.Do(ctx, append(args, labelOf(binding))...).Err(); err != nil {
		return classed(err)
	}
	if shut, err = s.has(ctx, s.shutMark()); err != nil || !shut {
		return err
	}
	err = s.Do(ctx, "ACL", "SETUSER", userOf(binding), "off").Err() // suspended by another process meanwhile
	return classed(errors.Join(err, s.Do(ctx, "CLIENT", "KILL", "USER", userOf(binding)).Err()))
}
