package pages

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// revealBinding shows a binding's credentials in clear, once, in the answer itself: no address leads to them. The broker writes the look
// into the audit trail before it answers.
func (p *Pages) revealBinding(c echo.Context) error {
	v, _, b, err := p.visitBinding(c)
	if err != nil {
		return err
	}
	open, err := p.Broker.Credentials(c.Request().Context(), v.who, b.ID)
	if err != nil {
		return p.instanceProblem(c, err)
	}
	values, file := inClear(open.Values), ""
	if b.App != "" { // an app finds them under the names of its environment
		if values, file, err = environment(b.AppName, []broker.Credentials{open}); err != nil {
			return err
		}
	}
	return p.instanceAgain(c, http.StatusOK, func(page *look.Instance) {
		for n := range page.Bindings {
			if row := &page.Bindings[n]; row.ID == b.ID {
				row.Revealed, row.Values, row.Dotenv = true, values, file
			}
		}
	})
}

// inClear lists credentials by name, the address of all first.
func inClear(values map[string]any) []look.Variable {
	list := make([]look.Variable, 0, len(values))
	for name, value := range values {
		list = append(list, look.Variable{Name: name, Value: said(value)})
	}
	slices.SortFunc(list, func(a, b look.Variable) int {
		if (a.Name == "uri") != (b.Name == "uri") {
			return map[bool]int{true: -1, false: 1}[a.Name == "uri"]
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list
}

// said is a credential's part as text: what is no text is JSON.
func said(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	if b, err := json.Marshal(value); err == nil {
		return string(b)
	}
	return fmt.Sprint(value)
}
