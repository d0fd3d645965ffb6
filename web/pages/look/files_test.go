package look_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/web/pages/look"
)

func TestFilesAreVersionedAndTyped(t *testing.T) {
	r, err := look.New()
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{"base.css": "text/css", "sutler.js": "javascript", "icon.svg": "image/svg+xml"} {
		url, err := r.Files().URL(name)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		r.Files().ServeHTTP(w, httptest.NewRequest("GET", url, nil))
		if w.Code != 200 || !strings.Contains(w.Header().Get("Content-Type"), kind) || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", url, w.Code, w.Header())
		}
	}
	if _, err := r.Files().URL("nothing.css"); err == nil {
		t.Error("a file that does not exist has an address")
	}
	w := httptest.NewRecorder()
	r.Files().ServeHTTP(w, httptest.NewRequest("GET", "/static/../render.go", nil))
	if w.Code != 404 {
		t.Errorf("a path outside answers %d", w.Code)
	}
}
