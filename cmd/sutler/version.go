package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is what this binary says of itself.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// String is the build as one line for people.
func (b build) String() string { return b.Version + " " + b.Go + " " + b.Platform }

func newVersion(s *session) *cobra.Command {
	return reading(s, &cobra.Command{
		Use: "version", Short: "Show which sutler this is", Args: arguments(),
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			if done, err := s.data(b); done {
				return err
			}
			_, err := fmt.Fprintf(s.out, "sutler %s\n", b)
			return err
		},
	})
}

func thisBuild() build {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			b.Revision = setting.Value
		}
	}
	return b
}
