package broker

import (
	"context"
	"crypto/rand"
	"regexp"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
)

// nameForm is what people may call an instance; it is fit for files, hosts and variables.
var nameForm = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// aliasForm is what the prefix of an environment variable may be.
var aliasForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,62}$`)

// nameFor gives the name that the row will have. People are told when theirs is wrong or taken; a platform's wish gives way instead,
// since its users do not see our names.
func (b *Broker) nameFor(ctx context.Context, r instanceRow) (string, error) {
	wish := r.Name
	if r.Platform != "" && !nameForm.MatchString(wish) {
		wish = ""
	}
	if wish == "" {
		return r.Kind + "-" + letters(5), nil
	}
	if !nameForm.MatchString(wish) {
		return "", fault.Invalid.Errorf("%q is no name for an instance: lower-case letters, digits and hyphens, beginning with a letter, at most 63.", wish).
			WithHint("Write it like shop-db, or leave it out: then one is made up.")
	}
	if r.Platform == "" {
		return wish, nil
	}
	_, taken, err := b.findInstance(ctx, "project = ? AND name = ? AND state <> 'gone'", r.Project, wish)
	if taken {
		wish = strings.TrimRight(wish[:min(len(wish), 56)], "-") + "-" + letters(5)
	}
	return wish, err
}

// letters gives n random letters and digits that cannot be misread.
func letters(n int) string {
	s := strings.NewReplacer("0", "", "1", "", "I", "", "O", "", "L", "").Replace(rand.Text() + rand.Text())
	return strings.ToLower(s[:n])
}

// aliasFor gives a binding's alias: the one that was asked for, else the customary one of its kind, else one made of the instance's name.
// It is pure: taken are the aliases that the app uses already.
func aliasFor(wish string, kind catalog.Kind, instance string, taken func(string) bool) (string, error) {
	if wish != "" {
		wish = strings.ToUpper(strings.ReplaceAll(wish, "-", "_"))
		if !aliasForm.MatchString(wish) {
			return "", fault.Invalid.Errorf("%q is no alias: letters, digits and underscores, beginning with a letter, at most 63.", wish)
		}
		if taken(wish) {
			return "", fault.Conflict.Errorf("The app has a binding with the alias %s already.", wish).WithHint("Choose another with --as.")
		}
		return wish, nil
	}
	own := strings.ToUpper(strings.ReplaceAll(instance, "-", "_"))
	if info, _ := kind.Info(); info.Alias != "" && !taken(info.Alias) {
		return info.Alias, nil
	}
	for alias := own; ; alias = own + "_" + strings.ToUpper(letters(4)) {
		if !taken(alias) {
			return alias, nil
		}
	}
}
