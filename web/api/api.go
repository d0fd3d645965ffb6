package api

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// prefix is where the first version of the API lives.
const prefix = "/api/v1"

// Deps are the rooms behind the API. All but Calendar are needed; without a Calendar the market's clock cannot be moved.
type Deps struct {
	Broker    *broker.Broker
	Ledger    *billing.Ledger
	Directory *directory.Directory
	Audit     *audit.Log
	Calendar  *tasks.Calendar
	Clock     clock.Clock                          // the market's
	Ingested  func(stored, duplicate, refused int) // told what became of reported usage, for those who count; may be nil
	Log       *slog.Logger
}

// API is the REST door.
type API struct {
	Deps
	huma huma.API
}

// New makes the door; Mount opens it.
func New(d Deps) *API { return &API{Deps: d} }

// Mount adds the routes to e, with their document at /api/openapi.json and its page at /api/docs.
func (a *API) Mount(e *echo.Echo) {
	a.huma = humaecho.New(e, a.config())
	a.huma.UseMiddleware(a.knownOnly)
	a.market()
	a.quotes()
	a.backups()
	a.moves()
	a.providers()
	a.consumers()
	a.instances()
	a.bindings()
	a.operations()
	a.reconciles()
	a.queue()
	a.apps()
	a.money()
	a.tenancy()
	a.tokens()
	a.platforms()
	a.trail()
	a.clocks()
	a.events()
	spec, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		panic(fmt.Errorf("the API's own document cannot be written: %w", err)) // a programming mistake, seen at start
	}
	e.GET("/api/openapi.json", func(c echo.Context) error {
		return c.Blob(http.StatusOK, "application/openapi+json", spec)
	})
	a.docs(e)
}

func (a *API) config() huma.Config {
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Sutler", Version: "1",
				Description: "A marketplace of managed backends. Send an API token as `Authorization: Bearer sut_…`.",
			},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}},
			},
			Security: []map[string][]string{{"token": {}}},
		},
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{a.rewrite},
	}
}
