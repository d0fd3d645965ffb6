package directory

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"

	"github.com/sutlerhq/sutler/internal/fault"
)

var slug = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// checkName accepts what orgs, projects, apps and platforms are called: it stands in URLs and file names.
func checkName(path, name string) error {
	if slug.MatchString(name) {
		return nil
	}
	return fault.Invalid.Errorf("%q is no name for an org, a project, an app or a platform.", name).WithHint("Use 1 to 40 lowercase letters, digits and inner hyphens.").
		WithFields(fault.Field{Path: path, Reason: "must be 1 to 40 lowercase letters, digits and inner hyphens"})
}

// checkTitle accepts free text for people: one line, no control characters. An empty one takes the place of otherwise.
func checkTitle(path, title, otherwise string) (string, error) {
	title = strings.TrimSpace(title)
	if title == "" {
		title = otherwise
	}
	if title == "" || len(title) > 200 || strings.ContainsFunc(title, unicode.IsControl) {
		return "", fault.Invalid.Errorf("The text is not acceptable.").
			WithFields(fault.Field{Path: path, Reason: "must be one line of 1 to 200 bytes without control characters"})
	}
	return title, nil
}

// normalEmail gives an address in the one form it is kept in: lowercase, without a display name.
func normalEmail(email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || a.Name != "" || len(email) > 254 || strings.ContainsAny(email, "<>\" ") {
		return "", fault.Invalid.Errorf("That is not an email address.").
			WithFields(fault.Field{Path: "/email", Reason: "must look like name@example.com"})
	}
	return email, nil
}
