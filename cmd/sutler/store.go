package main

import (
	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/database"
)

func newStore(s *session) *cobra.Command {
	return group("store", "The market's own store (on its machine)", newStoreBackup(s))
}

// newStoreBackup is `sutler store backup`: it works on the file, beside a market that serves.
func newStoreBackup(s *session) *cobra.Command {
	var path string
	c := &cobra.Command{
		Use: "backup FILE", Short: "Copy a SQLite store to a new file, also while the market serves", Args: arguments("FILE"),
		Long: "Writes a whole and consistent copy of the SQLite store that a configuration names, checks it, and never writes over a file. The market may\n" +
			"serve meanwhile. The master key is not in it: keep a copy of that elsewhere, neither is of use without the other.\n" +
			"A PostgreSQL store is backed up by pg_dump: docs/operations.md.",
		Example: "  sutler store backup /backup/sutler.db --config /etc/sutler/sutler.yaml",
		RunE: func(c *cobra.Command, args []string) error {
			conf, _, err := loadConfig(path)
			if err != nil {
				return err
			}
			size, err := database.Copy(c.Context(), conf.Store.Reveal(), args[0])
			if err != nil {
				return err
			}
			s.say("%s holds the store, %d bytes. Keep the master key %s with your other keys, not beside it.", args[0], size, conf.MasterKey)
			return nil
		},
	}
	c.Flags().StringVar(&path, "config", "sutler.yaml", "the market's configuration")
	return c
}
