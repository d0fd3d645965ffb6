package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// banner is what `sutler dev` says when it is ready. It talks, so it goes to stderr.
type banner struct {
	terminal
	dir   string
	about devJSON
	found []string // what is sold, and what is missing
	took  time.Duration
}

func (b banner) print() {
	bold, dim, green, plain := "", "", "", ""
	if colored(b.terminal) {
		bold, dim, green, plain = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[0m"
	}
	var s strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&s, format+"\n", a...) }
	line("")
	line("%s●%s %sSutler is ready%s %s(%.1f s)%s", green, plain, bold, plain, dim, b.took.Seconds(), plain)
	line("")
	line("  %smarket%s    %s%s%s", dim, plain, bold, b.about.URL, plain)
	for i, what := range b.found {
		label := "sells"
		if i > 0 {
			label = ""
		}
		line("  %s%-9s%s %s", dim, label, plain, what)
	}
	for i, p := range b.about.People {
		label, where := "sign in", ""
		if i > 0 {
			label = ""
		}
		if p.Org != "" {
			where = " of " + p.Org
		}
		if p.Project != "" {
			where = " on " + p.Org + "/" + p.Project
		}
		line("  %s%-9s%s %-18s %-18s %s%s%s%s", dim, label, plain, p.Email, p.Password, dim, p.Role, where, plain)
	}
	line("")
	line("  In another terminal:  %sexport SUTLER_DEV=%s%s", bold, quoted(b.dir), plain)
	line("                        %ssutler marketplace%s", bold, plain)
	line("  %sCtrl-C stops it; everything stays in %s%s", dim, b.dir, plain)
	line("")
	_, _ = fmt.Fprint(b.err, s.String()) // a closed terminal is no reason to stop the market
}

// colored tells whether talk may have colors.
func colored(t terminal) bool {
	f, ok := t.err.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && t.env("NO_COLOR") == "" && t.env("TERM") != "dumb"
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsAny(path, " '\"$`\\&;()<>|*?[]#~") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
