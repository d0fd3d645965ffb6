package look

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
)

//go:embed templates/*.html
var templates embed.FS

// Renderer holds every template, parsed.
type Renderer struct {
	pages map[string]*template.Template
	files *Files
}

// New parses every template and reads every static file; what does not parse is found at start, not at a click.
func New() (*Renderer, error) {
	files, err := newFiles()
	if err != nil {
		return nil, err
	}
	base, err := template.New("frame.html").Funcs(words(files)).ParseFS(templates, "templates/frame.html", "templates/parts.html", "templates/marks.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(templates, "templates/page_*.html")
	if err != nil {
		return nil, err
	}
	r := &Renderer{pages: map[string]*template.Template{}, files: files}
	for _, file := range names {
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(templates, file)
		}
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", file, err)
		}
		r.pages[strings.TrimSuffix(strings.TrimPrefix(path.Base(file), "page_"), ".html")] = t
	}
	return r, nil
}

// Files are the style sheets, the script and the icon.
func (r *Renderer) Files() *Files { return r.files }

// Render writes a page whole or not at all.
func (r *Renderer) Render(w io.Writer, p Page) error {
	t, ok := r.pages[p.Template()]
	if !ok {
		return fmt.Errorf("there is no template page_%s.html", p.Template())
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "frame.html", p); err != nil {
		return fmt.Errorf("page %s: %w", p.Template(), err)
	}
	_, err := b.WriteTo(w)
	return err
}
