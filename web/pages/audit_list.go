package pages

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// recent is how many rows of the audit trail are shown.
const recent = 200

// audit lists who did what lately.
func (p *Pages) audit(c echo.Context) error {
	v, err := p.operator(c, identity.AuditRead, "Audit", "audit")
	if err != nil {
		return err
	}
	if p.Audit == nil {
		return fault.NotFound.Errorf("There is no such page.")
	}
	list, err := p.Audit.List(c.Request().Context(), "", recent)
	if err != nil {
		return err
	}
	page := look.Audit{Frame: v.frame, Command: "sutler audit verify"}
	for _, one := range list {
		deed := look.Deed{At: one.At, Action: one.Action, Object: one.Object, Linked: one.Seq > 0}
		if deed.Kind, deed.Who, _ = strings.Cut(one.Who, "/"); deed.Who == "" {
			deed.Who, deed.Kind = deed.Kind, ""
		}
		for _, key := range slices.Sorted(maps.Keys(one.Detail)) {
			if value := one.Detail[key]; value != "" {
				deed.Notes = append(deed.Notes, key+"="+value)
			}
		}
		page.Rows = append(page.Rows, deed)
	}
	return p.show(c, http.StatusOK, page)
}
