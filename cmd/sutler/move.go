package main

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// moveAsk is what `sutler move` was told beside the instance.
type moveAsk struct {
	to, name          string
	confirm, rollBack bool
	wait              wait
}

func newMove(s *session) *cobra.Command {
	var m moveAsk
	c := &cobra.Command{
		Use: "move NAME [--to PROVIDER[:PLAN] | --confirm | --roll-back]", Short: "Move an instance to another provider or plan, with its data and its bindings", Args: arguments("NAME"),
		Long: "Move an instance to another provider or plan. A new instance is made there, the old one is suspended so that nothing changes, data are copied and\n" +
			"counted, and name and bindings go to the new one: apps find the same variables in their environment. Until --confirm the old instance is kept,\n" +
			"suspended and without charge; --roll-back gives it its place again, and loses what was written to the new one since. What fails before the\n" +
			"switch is rolled back by itself. Without a flag it tells how far the move is.",
		Example: "  sutler move shopdb --to pg-us:small\n  sutler move shopdb --confirm\n  sutler move shopdb --roll-back --name shopdb",
		RunE: func(c *cobra.Command, args []string) error {
			if n := given(m.to != "", m.confirm, m.rollBack); n > 1 {
				return usagef("--to, --confirm and --roll-back are three different things.").next("Give one of them, or none to see how far the move is.")
			}
			api, err := s.connect()
			if err != nil {
				return err
			}
			return s.move(c.Context(), api, args[0], m)
		},
	}
	c.Flags().StringVar(&m.to, "to", "", "where to, as PROVIDER or PROVIDER:PLAN")
	c.Flags().BoolVar(&m.confirm, "confirm", false, "destroy the old instance")
	c.Flags().BoolVar(&m.rollBack, "roll-back", false, "go back to the old instance and destroy the new one")
	c.Flags().StringVar(&m.name, "name", "", "with --roll-back: the instance's name once more")
	m.wait.copying(c)
	return reading(s, c)
}

func given(flags ...bool) (n int) {
	for _, f := range flags {
		if f {
			n++
		}
	}
	return n
}

func (s *session) move(ctx context.Context, api *client.Client, ref string, ask moveAsk) (err error) {
	var m client.Move
	switch {
	case ask.to != "":
		var r client.Relocation
		r.Provider, r.Plan, _ = strings.Cut(ask.to, ":")
		if m, err = api.MoveInstance(ctx, s.place(), ref, r); err == nil {
			s.say("Moving %s from %s to %s: %s:%s.", m.Name, m.From, m.To, m.Offering, m.Plan)
			if !ask.wait.on {
				s.say("Next: sutler move %s, which tells how far it is.", m.Name)
			} else {
				m, err = s.moving(ctx, api, m, ask.wait.timeout, "moved")
			}
		}
	case ask.confirm:
		if m, err = api.ConfirmMove(ctx, s.place(), ref); err == nil {
			s.say("%s stays at %s. Destroying the old instance at %s.", m.Name, m.To, m.From)
		}
	case ask.rollBack:
		m, err = s.rollBack(ctx, api, ref, ask)
	default:
		m, err = api.Move(ctx, s.place(), ref)
	}
	if err != nil {
		return err
	}
	if done, err := s.data(m); done {
		return err
	}
	asked := given(ask.to != "", ask.confirm, ask.rollBack) == 0
	if asked {
		if err := s.describeMove(m); err != nil {
			return err
		}
	}
	if m.State == "moved" {
		s.nextAfterMove(m)
	}
	if asked {
		return nil
	}
	return s.line(strings.TrimSpace(m.Name + " " + m.State + " " + m.Note))
}

func (s *session) nextAfterMove(m client.Move) {
	s.say("Until you decide, the old instance is kept, suspended and without charge.")
	s.say("Next: restart the apps that use it, look whether all is well, then")
	s.say("  sutler move %s --confirm", m.Name)
	s.say("Back, without what was written since:")
	s.say("  sutler move %s --roll-back", m.Name)
}

// describeMove tells how far a move is, and what was counted.
func (s *session) describeMove(m client.Move) error {
	ended := ""
	if m.EndedAt != nil {
		ended = when(*m.EndedAt)
	}
	var size string
	if m.Bytes > 0 {
		size = volume(m.Bytes)
	}
	return describe(s, m,
		pair{"name", m.Name}, pair{"state", m.State}, pair{"note", m.Note}, pair{"from", m.From}, pair{"to", m.To + ", " + m.Offering + ":" + m.Plan},
		pair{"copied", size}, pair{"checked", checked(m)}, pair{"began", when(m.CreatedAt)}, pair{"ended", ended},
	)
}

// checked says what both instances of a move were found to hold.
func checked(m client.Move) string {
	var old, made int64
	var differ []string
	for name, n := range m.Counted {
		old += n
		if m.Copied[name] != n {
			differ = append(differ, name)
		}
	}
	for _, n := range m.Copied {
		made += n
	}
	switch {
	case len(m.Copied) == 0:
		return ""
	case len(differ) > 0:
		slices.Sort(differ)
		return fmt.Sprintf("%d of %d; different: %s", made, old, strings.Join(differ, ", "))
	}
	return fmt.Sprintf("%d of %d, the same in each of %d", made, old, len(m.Copied))
}

// rollBack asks for the name when apps use the new instance already, as what they wrote is lost.
func (s *session) rollBack(ctx context.Context, api *client.Client, ref string, ask moveAsk) (client.Move, error) {
	m, err := api.Move(ctx, s.place(), ref)
	if err != nil {
		return m, err
	}
	if m.Switched && ask.name == "" && s.talking() {
		s.say("This loses what was written to %s since it was moved to %s. Type its name to go on:", m.Name, m.To)
		ask.name, _ = bufio.NewReader(s.in).ReadString('\n')
		ask.name = strings.TrimSpace(ask.name)
	}
	if m.Switched && ask.name != m.Name {
		return m, usagef("Rolling back loses what was written to %s since it was moved to %s, and nobody confirmed that. Nothing was done.", m.Name, m.To).next("Add --name %s.", m.Name)
	}
	if m, err = api.RollBackMove(ctx, s.place(), m.Instance, client.Return{Name: ask.name}); err != nil {
		return m, err
	}
	if !ask.wait.on {
		return m, nil
	}
	return s.moving(ctx, api, m, ask.wait.timeout, "rolled back")
}

// moving follows a move until it is at an end or at the one that is wanted.
func (s *session) moving(ctx context.Context, api *client.Client, m client.Move, patience time.Duration, want string) (client.Move, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p := progress{session: s, what: "Moving " + m.Name, began: time.Now(), rewrite: s.talking()}
	tick := time.NewTicker(backupLook)
	defer tick.Stop()
	for {
		now, err := api.Move(ctx, s.place(), m.Instance)
		switch {
		case err != nil && ctx.Err() == nil:
			p.end("lost")
			return m, err
		case err == nil && now.State == want:
			p.end(want + copied(now))
			return now, nil
		case err == nil && now.EndedAt != nil:
			p.end(now.State)
			return now, fault.ProviderFailed.Errorf("The move of %s is %s, and all is as it was. %s", now.Name, now.State, now.Note)
		case err == nil:
			p.note(now.State + copied(now))
		}
		select {
		case <-ctx.Done():
			p.end("still running")
			return m, fault.Timeout.Errorf("The move of %s is not finished after %s. It goes on without you.", m.Name, patience).WithHint("Look again with sutler move %s.", m.Name)
		case <-tick.C:
		}
	}
}

// copied tells how much was copied, and what was counted.
func copied(m client.Move) (text string) {
	if m.Bytes > 0 {
		text = ", " + volume(m.Bytes)
	}
	var sum int64
	for _, n := range m.Copied {
		sum += n
	}
	if len(m.Copied) > 0 {
		text += fmt.Sprintf(", %d counted", sum)
	}
	return text
}
