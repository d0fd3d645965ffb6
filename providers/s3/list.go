package s3

import (
	"context"
	"regexp"

	"github.com/sutlerhq/sutler/providers"
)

var _ providers.Lister = (*Driver)(nil)

// ofInstance tells an instance's bucket from those of others.
var ofInstance = regexp.MustCompile(`^b[a-z2-7]{26}$`)

// List names the bucket of every instance that the administrator sees.
func (d *Driver) List(ctx context.Context) (names []string, err error) {
	s, err := d.session()
	if err != nil {
		return nil, err
	}
	all, err := s.ListBuckets(ctx)
	for _, b := range all {
		if ofInstance.MatchString(b.Name) {
			names = append(names, b.Name)
		}
	}
	return names, classed(err)
}

// NameOf gives an instance's bucket.
func (d *Driver) NameOf(instance string) string { return bucketOf(instance) }
