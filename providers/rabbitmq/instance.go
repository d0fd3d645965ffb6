package rabbitmq

import (
	"context"
	"errors"
	"strings"

	rabbithole "github.com/michaelklishin/rabbit-hole/v2"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/providers"
)

// made is the description of a virtual host whose every step was done. With it Provision touches nothing, so that a call that comes late
// opens nothing that was closed since.
const made = "sutler: made"

// policy is the operator policy's name. Whoever is no administrator can neither change nor outbid it.
const policy = "sutler"

// streams is what the policies for streams are called.
const streams = "sutler-streams"

// Provision makes the virtual host, puts the plan's limits on it, and marks it as made.
func (d *Driver) Provision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.inTurn(ctx, i.ID, func(_ context.Context, s session) error {
		v := vhostOf(i.ID)
		there, err := s.made(v)
		if err != nil || there {
			return err
		}
		if err := ended(s.PutVhost(v, rabbithole.VhostSettings{Description: "sutler: being made"})); err != nil {
			return err
		}
		if err := s.limit(v, i.Plan, false); err != nil {
			return err
		}
		return ended(s.PutVhost(v, rabbithole.VhostSettings{Description: made}))
	})
	return progress(err, "the virtual host is ready")
}

func (s session) made(vhost string) (bool, error) {
	info, err := s.GetVhost(vhost)
	if missing(err) {
		return false, nil
	}
	return err == nil && info.Description == made, err
}

// here gives notThere unless the virtual host was made.
func (s session) here(vhost string) error {
	there, err := s.made(vhost)
	if err == nil && !there {
		err = notThere()
	}
	return err
}

// limit puts a plan's limits on a virtual host. No connection at all is how a suspended one is shut.
func (s session) limit(vhost string, p catalog.Plan, shut bool) error {
	values := rabbithole.VhostLimitsValues{"max-connections": atMost(p, limitConnections), "max-queues": atMost(p, limitQueues)}
	if shut {
		values["max-connections"] = 0
	}
	if err := ended(s.PutVhostLimits(vhost, values)); err != nil {
		return err
	}
	held := rabbithole.PolicyDefinition{}
	if n := atMost(p, limitLength); n >= 0 {
		held["max-length"] = n
	}
	if n := atMost(p, limitStorage); n >= 0 {
		held["max-length-bytes"] = n
	}
	if err := s.hold(vhost, policy, 1, held); err != nil {
		return err
	}
	return s.limitStreams(vhost, p)
}

// hold makes an operator policy for the queues of a virtual host; of several that fit a queue the server takes the one of the highest priority.
func (s session) hold(vhost, name string, priority int, held rabbithole.PolicyDefinition) error {
	if len(held) == 0 {
		return unless(missing, ended(s.DeleteOperatorPolicy(vhost, name)))
	}
	return ended(s.PutOperatorPolicy(vhost, name, rabbithole.OperatorPolicy{Pattern: ".*", ApplyTo: "queues", Priority: priority, Definition: held}))
}

// leastSegment is the smallest file that a stream is cut into.
const leastSegment = 64 << 10

// limitStreams holds streams. A policy that names a number of messages is not for them, and the server tells nobody how many bytes they have, so that
// nobody could watch their sum: each gets its share of the plan. They drop whole segments, and the segment that is written to never goes, so its size
// is bounded, too: an app may ask for gigabytes.
func (s session) limitStreams(vhost string, p catalog.Plan) error {
	all, queues := atMost(p, limitStorage), atMost(p, limitQueues)
	if all < 0 {
		return errors.Join(s.hold(vhost, streams, 0, nil), unless(missing, ended(s.DeletePolicy(vhost, streams))))
	}
	share := max(all/max(queues, 1), 1)
	if err := s.hold(vhost, streams, 0, rabbithole.PolicyDefinition{"max-length-bytes": share}); err != nil {
		return err
	}
	cut := rabbithole.PolicyDefinition{"stream-max-segment-size-bytes": max(share/4, leastSegment)}
	return ended(s.PutPolicy(vhost, streams, rabbithole.Policy{Pattern: ".*", ApplyTo: "queues", Definition: cut}))
}

// atMost is a limit of the plan; -1, which the server takes for none, when the plan has none.
func atMost(p catalog.Plan, limit string) int {
	if n, ok := p.Limits[limit]; ok {
		return int(n)
	}
	return -1
}

// shut tells whether a virtual host is suspended.
func (s session) shut(vhost string) (bool, error) {
	list, err := s.GetVhostLimits(vhost)
	for _, l := range list {
		if n, ok := l.Value["max-connections"]; ok && n == 0 {
			return true, err
		}
	}
	return false, err
}

// Deprovision removes the instance's users, the virtual host with all that is in it, and whoever was being let in meanwhile.
func (d *Driver) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.inTurn(ctx, i.ID, func(ctx context.Context, s session) error {
		v := vhostOf(i.ID)
		if err := s.removeUsers(ctx, i.ID); err != nil {
			return err
		}
		if err := ended(s.DeleteVhost(v)); err != nil {
			return err
		}
		return s.removeUsers(ctx, i.ID)
	})
	return progress(err, "the virtual host is gone")
}

func (s session) removeUsers(ctx context.Context, instance string) error {
	users, err := s.users(instance)
	for _, u := range users {
		if err := s.removeUser(ctx, vhostOf(instance), u.Name); err != nil {
			return err
		}
	}
	return err
}

// users lists the users of an instance.
func (s session) users(instance string) ([]rabbithole.UserInfo, error) {
	all, err := s.ListUsers()
	var out []rabbithole.UserInfo
	for _, u := range all {
		if strings.HasPrefix(u.Name, usersOf(instance)) {
			out = append(out, u)
		}
	}
	return out, err
}

// Update puts the new plan's limits on the virtual host. Connections and queues beyond a smaller limit stay; no further ones are let in.
func (d *Driver) Update(ctx context.Context, _, new providers.Instance) (providers.Progress, error) {
	err := d.inTurn(ctx, new.ID, func(_ context.Context, s session) error {
		v := vhostOf(new.ID)
		if err := s.here(v); err != nil {
			return err
		}
		shut, err := s.shut(v)
		if err != nil {
			return err
		}
		return s.limit(v, new.Plan, shut)
	})
	return progress(err, "the limits are changed")
}

// Suspend lets no connection in, takes the way to the management API, and ends what is open. Queues and messages stay.
func (d *Driver) Suspend(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.inTurn(ctx, i.ID, func(ctx context.Context, s session) error {
		v := vhostOf(i.ID)
		if err := s.here(v); err != nil {
			return err
		}
		if err := s.limit(v, i.Plan, true); err != nil {
			return err
		}
		if err := s.tag(i.ID, nil); err != nil {
			return err
		}
		users, err := s.users(i.ID)
		for _, u := range users {
			if err := s.hangUp(ctx, u.Name); err != nil {
				return err
			}
		}
		return err
	})
	return progress(err, "nobody is let in")
}

// Resume lets in again.
func (d *Driver) Resume(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.inTurn(ctx, i.ID, func(_ context.Context, s session) error {
		v := vhostOf(i.ID)
		if err := s.here(v); err != nil {
			return err
		}
		if err := s.tag(i.ID, d.tags()); err != nil {
			return err
		}
		return s.limit(v, i.Plan, false)
	})
	return progress(err, "logins work again")
}

// tag gives the instance's users these tags and leaves their passwords as they are.
func (s session) tag(instance string, tags rabbithole.UserTags) error {
	users, err := s.users(instance)
	for _, u := range users {
		if len(u.Tags) == len(tags) {
			continue // a user has one tag or none
		}
		err := ended(s.PutUser(u.Name, rabbithole.UserSettings{Tags: tags, PasswordHash: u.PasswordHash, HashingAlgorithm: u.HashingAlgorithm}))
		if err != nil {
			return err
		}
	}
	return err
}

// tags are what a binding's user may do beside AMQP. Neither policymaker nor monitoring is ever among them: the one may let the server
// connect to any address (shovels, federation), the other sees every tenant's connections.
func (d *Driver) tags() rabbithole.UserTags {
	if d.settings.Management {
		return rabbithole.UserTags{"management"}
	}
	return rabbithole.UserTags{}
}
