package look

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
)

//go:embed static
var static embed.FS

// Files serves what is embedded, under addresses that carry a digest of the content, so that browsers may keep them for ever.
type Files struct {
	byName map[string]string // name -> versioned address
	byURL  map[string]file
}

type file struct {
	body []byte
	kind string
}

func newFiles() (*Files, error) {
	f := &Files{byName: map[string]string{}, byURL: map[string]file{}}
	list, err := fs.ReadDir(static, "static")
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		body, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		url := "/static/" + hex.EncodeToString(sum[:6]) + "/" + e.Name()
		kind := mime.TypeByExtension(path.Ext(e.Name()))
		if kind == "" {
			return nil, fmt.Errorf("static/%s has no known type", e.Name())
		}
		f.byName[e.Name()], f.byURL[url] = url, file{body, kind}
	}
	f.byURL[favicon] = f.byURL[f.byName["icon.svg"]]
	return f, nil
}

// favicon is where browsers look for an icon on pages that name none.
const favicon = "/favicon.ico"

// URL is the address of a file; an unknown name is an error, so that templates cannot point to nothing.
func (f *Files) URL(name string) (string, error) {
	url, ok := f.byName[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return url, nil
}

// ServeHTTP answers for /static/… and the favicon.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	one, ok := f.byURL[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", one.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	if r.URL.Path == favicon {
		w.Header().Set("Cache-Control", "public, max-age=86400")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(one.body)
}
