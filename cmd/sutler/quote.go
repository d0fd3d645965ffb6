package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/web/client"
)

// inquiry is what the quote command was given.
type inquiry struct {
	client.QuoteRequest
	metrics []string
	near    bool
}

func newQuote(s *session) *cobra.Command {
	var q inquiry
	c := &cobra.Command{
		Use: "quote KIND|OFFERING[:PLAN]", Short: "Compare what a month would cost with each plan, and how far each provider is",
		Long:    "Compare what a month, or a part of one, would cost with the plans of all providers, before tax, and how far each provider is from here:\nthe median time to connect and to the first answer of its protocol.",
		Example: "  sutler quote postgresql\n  sutler quote nats --hours 100 --metric messages=2000000\n  sutler quote redis --region eu-central --json",
		Args:    arguments("KIND or OFFERING[:PLAN]"),
		RunE: func(c *cobra.Command, args []string) error {
			q.Want = args[0]
			return s.quote(c.Context(), q)
		},
	}
	f := c.Flags()
	f.IntVar(&q.Hours, "hours", 730, "for so many hours; 730 are a whole month")
	f.StringArrayVar(&q.metrics, "metric", nil, "quantity used over that time as name=quantity (can be repeated)")
	f.StringVar(&q.Region, "region", "", "in this region")
	f.StringVar(&q.Provider, "provider", "", "of this provider")
	f.StringVar(&q.Currency, "currency", "", "prices in this currency (default: your account's)")
	f.BoolVar(&q.near, "near", true, "measure how far the providers are from here")
	return reading(s, c)
}

func (s *session) quote(ctx context.Context, q inquiry) error {
	if q.Hours < 1 || q.Hours > 730 {
		return usagef("A quote is for 1 to 730 hours, which are a month; not for %d.", q.Hours).next("For longer, multiply the month.")
	}
	q.Metrics = map[string]string{}
	for _, m := range q.metrics {
		name, quantity, found := strings.Cut(m, "=")
		if !found || name == "" || quantity == "" {
			return usagef("%q is no name=quantity.", m).next("Write --metric requests=1200.")
		}
		q.Metrics[name] = quantity
	}
	api, err := s.connect()
	if err != nil {
		return err
	}
	q.Org = s.org
	quotes, err := api.Quotes(ctx, q.QuoteRequest)
	if err != nil {
		return err
	}
	near := map[string]time.Duration{}
	if q.near {
		if near, err = s.measure(ctx, api); err != nil {
			return err
		}
		for i := range quotes {
			if d, known := near[quotes[i].Provider]; known {
				quotes[i].RTT = d.Round(time.Microsecond).String()
			}
		}
	}
	if q.near {
		s.sayUnmeasured(quotes, near)
	}
	return list(s, quotes, "Nothing fits.",
		column[client.Quote]{title: "Offering:Plan", cell: func(q client.Quote) string { return q.Offering + ":" + q.Plan }},
		column[client.Quote]{title: "Provider", cell: func(q client.Quote) string { return q.Provider }},
		column[client.Quote]{title: "Region", cell: func(q client.Quote) string { return q.Region }},
		column[client.Quote]{title: "Total", cell: func(q client.Quote) string { return client.Money(q.Total, q.Currency) }, right: true},
		column[client.Quote]{title: "RTT", cell: func(q client.Quote) string { return distance(near, q.Provider) }, right: true},
		column[client.Quote]{title: "Made of", cell: quoteParts, prose: true},
		column[client.Quote]{title: "Status", cell: func(q client.Quote) string { return q.Status }},
	)
}

// sayUnmeasured names the providers that have no RTT, and why.
func (s *session) sayUnmeasured(quotes []client.Quote, near map[string]time.Duration) {
	var missing []string
	for _, q := range quotes {
		if _, known := near[q.Provider]; !known && !slices.Contains(missing, q.Provider) {
			missing = append(missing, q.Provider)
		}
	}
	if len(missing) > 0 {
		s.say("No RTT of %s: what does not answer here, or has an address only when it is bound, is not measured.", strings.Join(missing, ", "))
	}
}

func quoteParts(q client.Quote) string {
	var parts []string
	for _, l := range q.Lines {
		parts = append(parts, l.Description+" "+client.Money(l.Amount, q.Currency))
	}
	if len(parts) == 0 {
		return "free"
	}
	return strings.Join(parts, ", ")
}

// nearness measures the providers for an order that may not be far away.
func (s *session) nearness(ctx context.Context, api *client.Client, order *client.NewInstance) error {
	if order.MaxRTT == "" {
		return nil
	}
	if d, err := time.ParseDuration(order.MaxRTT); err != nil || d <= 0 {
		return usagef("--max-rtt %q is no time.", order.MaxRTT).next("Write it like --max-rtt 5ms.")
	}
	near, err := s.measure(ctx, api)
	if err != nil {
		return err
	}
	order.RTT = map[string]string{}
	for provider, d := range maps.All(near) {
		order.RTT[provider] = d.String()
	}
	return nil
}
