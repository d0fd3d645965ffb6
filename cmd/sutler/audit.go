package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

func newAudit(s *session) *cobra.Command {
	limit, market := 50, false
	show := &cobra.Command{
		Use: "list", Short: "Show who did what, newest first", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			org := s.org
			if market {
				org = ""
			}
			all, err := api.Audit(c.Context(), org, limit)
			if err != nil {
				return err
			}
			return list(s, all, "Nothing was done yet.",
				column[client.AuditEntry]{title: "When (market time)", cell: func(e client.AuditEntry) string { return when(e.At) }},
				column[client.AuditEntry]{title: "Who", cell: func(e client.AuditEntry) string { return e.Who }},
				column[client.AuditEntry]{title: "Action", cell: func(e client.AuditEntry) string { return e.Action }},
				column[client.AuditEntry]{title: "Object", cell: func(e client.AuditEntry) string { return e.Object }},
				column[client.AuditEntry]{title: "Via", cell: func(e client.AuditEntry) string { return e.Via }, wide: true},
				column[client.AuditEntry]{title: "Number", cell: func(e client.AuditEntry) string { return fmt.Sprint(e.Seq) }, right: true, wide: true},
			)
		},
	}
	show.Flags().IntVar(&limit, "limit", limit, "how many at most")
	show.Flags().BoolVar(&market, "market", market, "of the whole market (operators)")
	head := ""
	verify := reading(s, &cobra.Command{
		Use: "verify", Short: "Walk the chain of deeds from its beginning (operators)", Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			r, err := api.VerifyAudit(c.Context(), head)
			if err != nil {
				return err
			}
			err = describe(s, r, pair{"linked", fmt.Sprint(r.Linked)}, pair{"pending", fmt.Sprint(r.Pending)}, pair{"signed heads", fmt.Sprint(r.Heads)})
			if err == nil && !r.OK {
				err = fault.Internal.Wrap(errDisagrees, "The chain breaks at %s: somebody changed what was written.", r.FirstBad)
			}
			return err
		},
	})
	verify.Flags().StringVar(&head, "head", head, "a head from outside the store, as SEQ:MAC of a log line \"audit: head signed\"")
	return group("audit", "Who did what", reading(s, show), verify)
}
