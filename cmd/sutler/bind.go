package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// bindPatience is how long a binding is waited for when nothing is said.
const bindPatience = 5 * time.Minute

func newBind(s *session) *cobra.Command {
	var n client.NewBinding
	var raw string
	var params []string
	var network string
	c := &cobra.Command{
		Use: "bind NAME --app APP", Short: "Give an app access to an instance", Args: arguments("NAME"),
		Example: "  sutler bind shopdb --app web\n  sutler bind reports --app web --as REPORTS\n  sutler bind shopdb --app web --network private",
		RunE: func(c *cobra.Command, args []string) error {
			if n.App == "" {
				return usagef("--app is missing.").next("Say which app: sutler bind %s --app APP.", args[0])
			}
			var err error
			if n.Params, err = standing(raw, params, network); err != nil {
				return err
			}
			api, err := s.connect()
			if err != nil {
				return err
			}
			n.Instance, n.Org, n.Project = args[0], s.org, s.project
			return s.bind(c.Context(), api, n, bindPatience)
		},
	}
	f := c.Flags()
	f.StringVar(&n.App, "app", "", "the app")
	f.StringVar(&n.Alias, "as", "", "prefix of the variables (default: the kind's customary one, such as DATABASE)")
	f.StringVar(&network, "network", "", networkHelp)
	f.StringArrayVarP(&params, "param", "p", nil, "a parameter as key=value (can be repeated)")
	f.StringVar(&raw, "params", "", "all parameters as one JSON object")
	return c
}

// networkHelp is what --network says of itself, in both commands that have it.
const networkHelp = "the network that the app stands in, by the name that its provider knows (default: the one that needs no name)"

// standing are a binding's parameters with the network in which the app stands. The default network needs no word.
func standing(raw string, pairs []string, network string) (json.RawMessage, error) {
	params, err := parameters(raw, pairs)
	if err != nil || network == "" || network == defaultNetwork {
		return params, err
	}
	object := map[string]json.RawMessage{}
	if params != nil {
		if err := json.Unmarshal(params, &object); err != nil {
			return nil, usagef("--params is no JSON object.").next(`Write it like --params '{"size":"small"}'.`)
		}
	}
	if _, twice := object["network"]; twice {
		return nil, usagef("The network is named twice: by --network and among the parameters.").next("Leave one of them out.")
	}
	if object["network"], err = json.Marshal(network); err != nil {
		return nil, err
	}
	return json.Marshal(object)
}

// bind asks for a binding and waits until the app can use it.
func (s *session) bind(ctx context.Context, api *client.Client, n client.NewBinding, patience time.Duration) error {
	b, err := api.Bind(ctx, n)
	if err != nil {
		return err
	}
	if err := s.follow(ctx, api, b.Operation, "Binding "+b.Name+" to "+b.App, patience); err != nil {
		return err
	}
	if n.Alias != "" && b.Alias != n.Alias {
		s.say("Variables cannot be called %s_…: they begin with %s.", n.Alias, b.Alias)
	}
	s.say("%s reaches %s as %s_URL. See sutler env --app %s --format dotenv.", b.App, b.Name, b.Alias, b.App)
	return nil
}

func newUnbind(s *session) *cobra.Command {
	var app, alias string
	c := &cobra.Command{
		Use: "unbind NAME --app APP", Short: "End an app's access to an instance: under one alias, or under all", Args: arguments("NAME"),
		Long:    "End an app's access to an instance. An app that is bound to it under several aliases loses all of them, unless --as names one.",
		Example: "  sutler unbind shopdb --app web\n  sutler unbind shopdb --app web --as REPORTS",
		RunE: func(c *cobra.Command, args []string) error {
			if app == "" {
				return usagef("--app is missing.").next("Say which app: sutler unbind %s --app APP.", args[0])
			}
			api, err := s.connect()
			if err != nil {
				return err
			}
			return s.unbind(c.Context(), api, args[0], app, alias)
		},
	}
	c.Flags().StringVar(&app, "app", "", "the app")
	c.Flags().StringVar(&alias, "as", "", "this alias alone, as sutler app bindings APP shows it (default: all that the app has of the instance)")
	return c
}

// unbind ends the bindings of an app to an instance that have this alias; all of them when it is empty.
func (s *session) unbind(ctx context.Context, api *client.Client, name, app, alias string) error {
	bound, err := api.Bindings(ctx, s.place(), "", app)
	if err != nil {
		return err
	}
	var all, these []string
	for _, b := range bound {
		if b.Name != name && b.Instance != name {
			continue
		}
		if all = append(all, b.Alias); alias != "" && !strings.EqualFold(b.Alias, alias) {
			continue
		}
		gone, err := api.Unbind(ctx, b.ID)
		if err != nil {
			return err
		}
		if err := s.follow(ctx, api, gone.Operation, "Unbinding "+b.Name+" ("+b.Alias+") from "+app, bindPatience); err != nil {
			return err
		}
		these = append(these, b.Alias)
	}
	switch {
	case len(all) == 0:
		return fault.NotFound.Errorf("%s is not bound to %s.", name, app).WithHint("sutler info %s shows what is.", name)
	case len(these) == 0:
		return fault.NotFound.Errorf("%s is not bound to %s as %s.", name, app, alias).WithHint("It is as %s.", strings.Join(all, ", "))
	case alias == "" && len(these) > 1:
		s.say("%s had %s under %d aliases, and has lost all of them: %s. One alone is taken with --as.", app, name, len(these), strings.Join(these, ", "))
	case len(these) < len(all):
		s.say("%s keeps %s under its other aliases.", app, name)
	}
	return nil
}
