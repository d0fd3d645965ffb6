package api

import (
	"cmp"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

//go:embed docs.html
var docsPage string

//go:embed docs.css
var docsStyle []byte

// docsSection is one tag's operations, as the page shows them.
type docsSection struct {
	Tag        string
	Operations []docsOperation
}

type docsOperation struct {
	Method, Path, Summary, ID string
	Parameters                []*huma.Param
	Body                      []docsProperty
}

type docsProperty struct {
	Name, Type, Doc string
	Required        bool
}

// docs serves a page that is written here, on the server, from the document: no script and nothing from elsewhere.
func (a *API) docs(e *echo.Echo) {
	page := template.Must(template.New("docs").Parse(docsPage))
	sections := a.sections()
	e.GET("/api/docs", func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
		c.Response().WriteHeader(http.StatusOK)
		return page.Execute(c.Response(), sections)
	})
	e.GET("/api/docs.css", func(c echo.Context) error { return c.Blob(http.StatusOK, "text/css; charset=utf-8", docsStyle) })
}

func (a *API) sections() []docsSection {
	byTag := map[string][]docsOperation{}
	for path, item := range a.huma.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodDelete: item.Delete} {
			if op == nil {
				continue
			}
			tag := op.Tags[0]
			byTag[tag] = append(byTag[tag], docsOperation{Method: method, Path: path, Summary: op.Summary, ID: op.OperationID, Parameters: op.Parameters, Body: a.properties(op)})
		}
	}
	var out []docsSection
	for tag, list := range byTag {
		slices.SortFunc(list, func(x, y docsOperation) int {
			return cmp.Or(strings.Compare(x.Path, y.Path), strings.Compare(x.Method, y.Method))
		})
		out = append(out, docsSection{Tag: tag, Operations: list})
	}
	slices.SortFunc(out, func(x, y docsSection) int { return strings.Compare(x.Tag, y.Tag) })
	return out
}

// properties lists what a JSON body may hold.
func (a *API) properties(op *huma.Operation) []docsProperty {
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return nil
	}
	schema := op.RequestBody.Content["application/json"].Schema
	if schema == nil {
		return nil
	}
	if schema.Ref != "" {
		schema = a.huma.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	var out []docsProperty
	for name, p := range schema.Properties {
		out = append(out, docsProperty{Name: name, Type: p.Type, Doc: p.Description, Required: slices.Contains(schema.Required, name)})
	}
	slices.SortFunc(out, func(x, y docsProperty) int { return strings.Compare(x.Name, y.Name) })
	return out
}
