package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

func newBackup(s *session) *cobra.Command {
	return group("backup", "Copies of your data: make, list, restore, delete", newBackupCreate(s), newBackupList(s), newBackupRestore(s), newBackupDelete(s))
}

func newBackupCreate(s *session) *cobra.Command {
	var w wait
	c := &cobra.Command{
		Use: "create NAME", Short: "Back up an instance and wait for it", Args: arguments("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			bk, err := api.BackUp(c.Context(), s.place(), args[0])
			if err != nil {
				return err
			}
			if w.on {
				if bk, err = s.copying(c.Context(), api, bk, w.timeout); err != nil {
					return err
				}
			}
			if done, err := s.data(bk); done {
				return err
			}
			if w.on {
				s.say("Next: sutler backup restore %s %s", bk.Name, bk.ID)
			} else {
				s.say("Backing up %s. Next: sutler backup list %s", bk.Name, bk.Name)
			}
			return s.line(bk.ID)
		},
	}
	w.copying(c)
	return reading(s, c)
}

// backupLook is how often a backup is asked how far it is.
const backupLook = 250 * time.Millisecond

// copying follows a backup to its end, showing how much is copied.
func (s *session) copying(ctx context.Context, api *client.Client, bk client.Backup, patience time.Duration) (client.Backup, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p := progress{session: s, what: "Backing up " + bk.Name, began: time.Now(), rewrite: s.talking()}
	tick := time.NewTicker(backupLook)
	defer tick.Stop()
	for {
		now, err := api.Backup(ctx, bk.ID)
		switch {
		case err != nil && exitCode(err) == exitNotFound:
			p.end("deleted")
			return bk, unmade(bk, now)
		case err != nil && ctx.Err() == nil:
			p.end("lost")
			return bk, err
		case err == nil && now.State == "ready":
			p.end("done, " + volume(now.Bytes))
			return now, nil
		case err == nil && now.State != "creating":
			p.end(now.State)
			return now, unmade(bk, now)
		case err == nil:
			p.note(strings.TrimSpace(volume(now.Bytes) + " " + now.Note))
		}
		select {
		case <-ctx.Done():
			p.end("still running")
			return bk, fault.Timeout.Errorf("The backup %s is not finished after %s. It goes on without you.", bk.ID, patience).WithHint("Look again with sutler backup list %s.", bk.Name)
		case <-tick.C:
		}
	}
}

// unmade says what became of a backup that is not ready and will not be.
func unmade(bk, now client.Backup) error {
	if now.State == "failed" {
		return fault.ProviderFailed.Errorf("%s could not be backed up. %s", bk.Name, now.Note)
	}
	return fault.Conflict.Errorf("The backup %s of %s was deleted while it was being made.", bk.ID, bk.Name)
}

func newBackupList(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "list [NAME]", Short: "List backups; of gone instances too", Args: arguments("[NAME]"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			all, err := api.Backups(c.Context(), s.place(), strings.Join(args, ""))
			if err != nil {
				return err
			}
			return list(s, all, "There are no backups. Next: sutler backup create NAME",
				column[client.Backup]{title: "ID", cell: func(b client.Backup) string { return b.ID }},
				column[client.Backup]{title: "Instance", cell: func(b client.Backup) string { return b.Name }},
				column[client.Backup]{title: "Kind", cell: func(b client.Backup) string { return b.Kind }, wide: true},
				column[client.Backup]{title: "State", cell: func(b client.Backup) string { return b.State }},
				column[client.Backup]{title: "Size", cell: func(b client.Backup) string { return volume(b.Bytes) }, right: true},
				column[client.Backup]{title: "Made", cell: func(b client.Backup) string { return when(b.CreatedAt) }},
				column[client.Backup]{title: "Note", cell: func(b client.Backup) string { return b.Note }, prose: true, foot: func(b client.Backup) string { return b.ID }},
				column[client.Backup]{title: "Held", cell: held, prose: true, wide: true},
			)
		},
	})
}

func held(b client.Backup) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(b.Counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, b.Counts[name]))
	}
	return strings.Join(parts, ", ")
}

func newBackupRestore(s *session) *cobra.Command {
	var r client.Restoration
	var to string
	var w wait
	c := &cobra.Command{
		Use: "restore NAME BACKUP", Short: "Make a new instance with a backup's data", Args: arguments("NAME", "BACKUP"),
		Long: "Make a new instance with a backup's data, at the same provider or at another one of the same kind. Nothing that exists is written over:\n" +
			"NAME is the new instance's name; given the old instance's, the new one is called NAME-restored.",
		Example: "  sutler backup restore shopdb-copy bak_06h0…\n  sutler backup restore shopdb bak_06h0… --to pg-us:small",
		RunE: func(c *cobra.Command, args []string) error {
			r.Name = args[0]
			r.Provider, r.Plan, _ = strings.Cut(to, ":")
			api, err := s.connect()
			if err != nil {
				return err
			}
			made, err := api.Restore(c.Context(), args[1], r)
			if err != nil {
				return err
			}
			s.say("Restoring into %s: %s:%s of %s%s, %s.", made.Name, made.Offering, made.Plan, made.Provider, in(made.Region), made.Price)
			if w.on {
				if err := s.follow(c.Context(), api, made.Operation, "Restoring "+made.Name, w.timeout); err != nil {
					return err
				}
				if made.Instance, err = api.Instance(c.Context(), s.place(), made.ID); err != nil {
					return err
				}
			}
			s.nextAfterCreate(made, "")
			if done, err := s.data(made); done {
				return err
			}
			return s.line(made.Name)
		},
	}
	c.Flags().BoolVar(&r.Uncounted, "uncounted", false, "do not compare it with what was counted when the backup was made")
	c.Flags().StringVar(&to, "to", "", "at this provider, as PROVIDER or PROVIDER:PLAN (default: where it was)")
	w.copying(c)
	return reading(s, c)
}

func newBackupDelete(s *session) *cobra.Command {
	var w wait
	c := &cobra.Command{
		Use: "delete BACKUP", Short: "End a backup", Args: arguments("BACKUP"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			if err := api.DeleteBackup(c.Context(), args[0]); err != nil {
				return err
			}
			if w.on {
				return s.deleting(c.Context(), api, args[0], w.timeout)
			}
			s.say("The backup %s is being deleted.", args[0])
			return nil
		},
	}
	w.flags(c)
	return c
}

// deleting waits until a backup is not there any more.
func (s *session) deleting(ctx context.Context, api *client.Client, id string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(backupLook)
	defer tick.Stop()
	for {
		_, err := api.Backup(ctx, id)
		switch {
		case err != nil && exitCode(err) == exitNotFound:
			s.say("The backup %s is deleted.", id)
			return nil
		case err != nil && ctx.Err() == nil:
			return err
		}
		select {
		case <-ctx.Done():
			return fault.Timeout.Errorf("The backup %s is not deleted after %s. It goes on without you.", id, patience).WithHint("Look again with sutler backup list.")
		case <-tick.C:
		}
	}
}

// volume writes how much data there is, with one decimal from a KiB up.
func volume(n int64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%d B", n)
	}
	f, units := float64(n)/step, []string{"KiB", "MiB", "GiB", "TiB"}
	for f >= step && len(units) > 1 {
		f, units = f/step, units[1:]
	}
	return fmt.Sprintf("%.1f %s", f, units[0])
}
