package pages

import (
	"regexp"
	"strings"

	"github.com/sutlerhq/sutler/web/pages/look"
)

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// command makes a line for a shell out of its words, quoted where a shell would read them otherwise.
func command(words ...string) look.Command {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if !plain.MatchString(w) {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return look.Command(strings.Join(quoted, " "))
}
