package osb

import "net/http"

// Prints gives the catalogs that a handler keeps, by platform: the same place in memory means the same print.
func Prints(h http.Handler) map[string]*byte {
	all := map[string]*byte{}
	h.(*door).prints.byPlatform.Range(func(platform, p any) bool {
		all[platform.(string)] = &p.(print).body[0]
		return true
	})
	return all
}
