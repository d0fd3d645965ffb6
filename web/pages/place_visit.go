package pages

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"unicode"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// places is how many projects the switcher offers at most.
const places = 60

// remembered is the cookie that says which project was looked at last.
const remembered = "sutler_place"

// visit is a request with who makes it and the place it is about.
type visit struct {
	who     identity.Principal
	org     directory.Org
	project directory.Project
	frame   look.Frame
}

// scope is the visited project.
func (v visit) scope() identity.Scope {
	return identity.Scope{Org: v.org.ID, Project: v.project.ID}
}

// can asks for the visited project.
func (v visit) can(a identity.Action) bool { return identity.Can(v.who, a, v.scope()) }

// visit finds the place that the address names. Addresses that name none stand in the place that was visited last, so that the
// navigation leads back to it.
func (p *Pages) visit(c echo.Context, title, section string) (visit, error) {
	return p.visitAt(c, c.Param("org"), c.Param("project"), title, section)
}

func (p *Pages) visitAt(c echo.Context, org, project, title, section string) (visit, error) {
	ctx := c.Request().Context()
	v := visit{who: identity.From(ctx)}
	var err error
	if org != "" {
		if v.org, err = p.Directory.Org(ctx, v.who, org); err != nil {
			return v, err
		}
	}
	if project != "" {
		if v.project, err = p.Directory.Project(ctx, v.who, v.org.ID, project); err != nil {
			return v, err
		}
		remember(c, v)
	}
	list, err := p.places(ctx, v.who)
	if err != nil {
		return v, err
	}
	v.frame = look.Frame{
		Title: title, Section: section, Now: p.Clock.Now(), Dev: p.Dev, Who: visitor(v.who), Org: v.org.Name, Project: v.project.Name, Places: list,
		Operator: identity.Can(v.who, identity.ProviderManage, identity.Scope{}), Notice: notices[c.QueryParam("done")],
	}
	if project == "" {
		stand(c, &v.frame)
	}
	if v.org.ID != "" {
		if v.frame.Currency, err = p.Ledger.Currency(ctx, v.org.ID); err != nil { // prices are then shown in the market's own
			p.Log.LogAttrs(ctx, slog.LevelWarn, "currency", slog.String("org", v.org.ID), slog.Any("cause", err))
		}
	}
	for i := range v.frame.Places {
		at := &v.frame.Places[i]
		at.Current = at.Org == v.frame.Org && at.Project == v.frame.Project
	}
	v.frame.Money = p.seesInvoices(ctx, v.who, v.org, v.frame.Org)
	return v, nil
}

// stand puts the frame into the remembered place, or the first one; within the org that the address names.
func stand(c echo.Context, f *look.Frame) {
	last, _ := c.Cookie(remembered)
	for _, at := range f.Places {
		if f.Org != "" && at.Org != f.Org && f.Project == "" {
			continue
		}
		if f.Project == "" || last != nil && last.Value == at.Org+"/"+at.Project && (c.Param("org") == "" || c.Param("org") == at.Org) {
			f.Org, f.Project = at.Org, at.Project
		}
	}
}

func remember(c echo.Context, v visit) {
	c.SetCookie(&http.Cookie{Name: remembered, Value: v.org.Name + "/" + v.project.Name, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.Scheme() == "https"})
}

// places lists the projects that who may see.
func (p *Pages) places(ctx context.Context, who identity.Principal) ([]look.Place, error) {
	orgs, err := p.Directory.Orgs(ctx, who)
	if err != nil {
		return nil, err
	}
	var list []look.Place
	for _, o := range orgs {
		projects, err := p.Directory.Projects(ctx, who, o.ID)
		if err != nil && fault.KindOf(err) != fault.NotFound && fault.KindOf(err) != fault.Forbidden {
			return nil, err
		}
		for _, one := range projects {
			list = append(list, look.Place{Org: o.Name, Project: one.Name})
		}
		if len(list) >= places {
			break
		}
	}
	return list, nil
}

func (p *Pages) seesInvoices(ctx context.Context, who identity.Principal, o directory.Org, name string) bool {
	if o.ID == "" && name != "" {
		found, err := p.Directory.Org(ctx, who, name)
		if err != nil {
			return false
		}
		o = found
	}
	return o.ID != "" && identity.Can(who, identity.InvoiceRead, identity.Scope{Org: o.ID})
}

func visitor(who identity.Principal) *look.Visitor {
	name := who.Name
	if name == "" {
		name, _, _ = strings.Cut(who.Email, "@")
	}
	if name == "" {
		name = who.ID
	}
	initials := ""
	for i, word := range strings.Fields(name) {
		if r := []rune(word)[0]; i < 2 && unicode.IsLetter(r) {
			initials += string(unicode.ToUpper(r))
		}
	}
	return &look.Visitor{Name: name, Email: who.Email, Initials: initials}
}

// notices are what pages say about what was just done. Their keys travel in addresses, their words do not.
var notices = map[string]look.Notice{
	"created":  {Tone: "good", Text: "It was ordered and is being created. This page follows it."},
	"found":    {Tone: "note", Text: "The same order was made before; this is its instance. Nothing was created twice."},
	"bound":    {Tone: "good", Text: "It was ordered, and the app is being bound to it."},
	"binding":  {Tone: "good", Text: "The app is being bound."},
	"later":    {Tone: "note", Text: "It is being created. Bind the app as soon as it is ready: the form below is filled in."},
	"unbound":  {Tone: "good", Text: "The binding is being ended; its credential stops working."},
	"destroy":  {Tone: "care", Text: "The instance is being destroyed, its bindings with it."},
	"app":      {Tone: "good", Text: "The app was created. Bind it to an instance next."},
	"revoked":  {Tone: "good", Text: "The token was revoked; it opens nothing any more."},
	"suspend":  {Tone: "care", Text: "It is being suspended: its apps are turned away, its data stays."},
	"resume":   {Tone: "good", Text: "It is being resumed; its apps can log in again in a moment."},
	"plan":     {Tone: "good", Text: "Its plan is being changed. This page follows it."},
	"same":     {Tone: "note", Text: "It is on that plan already, or on its way there. Nothing was changed twice."},
	"rotate":   {Tone: "good", Text: "New credentials are being made. The old ones stay valid until the time that stands beside them."},
	"backup":   {Tone: "good", Text: "The backup has begun; it goes on by itself."},
	"restore":  {Tone: "good", Text: "A new instance is being made and filled with the backup's data. What exists stays as it is."},
	"unbackup": {Tone: "care", Text: "The backup is being deleted."},
	"confirm":  {Tone: "good", Text: "The move is confirmed. The old instance is being destroyed."},
	"rollback": {Tone: "care", Text: "The move is being taken back. Start the apps that use it again when that is done."},
	"cordon":   {Tone: "care", Text: "The provider takes no new instances from now on. What lives there goes on."},
	"uncordon": {Tone: "good", Text: "The provider takes new instances again."},
	"bindfail": {Tone: "care", Text: "The instance was ordered; the app could not be bound yet. Bind it below."},
}
