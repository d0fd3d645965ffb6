package api

import (
	"context"
	"net/http"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

func (a *API) trail() {
	register(a, route{method: http.MethodGet, path: prefix + "/audit", id: "audit-list", tag: "audit", summary: "The newest deeds of an org; of the whole market for operators."}, a.auditList)
	register(a, route{method: http.MethodGet, path: prefix + "/audit/verify", id: "audit-verify", tag: "audit", summary: "Walk the chain of deeds from its beginning (operators)."}, a.auditVerify)
}

// auditQuery narrows the list.
type auditQuery struct {
	InOrg
	Limit int `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

func (a *API) auditList(ctx context.Context, who identity.Principal, in *auditQuery) (*reply[[]client.AuditEntry], error) {
	scope := identity.Scope{}
	if in.Org != "" || !identity.Can(who, identity.AuditRead, scope) {
		org, err := a.org(ctx, who, in.Org)
		if err != nil {
			return nil, err
		}
		scope.Org = org.ID
	}
	if err := may(who, identity.AuditRead, scope, "read the audit trail"); err != nil {
		return nil, err
	}
	list, err := a.Audit.List(ctx, scope.Org, in.Limit)
	return answer(each(list, err, wireEntry))
}

// verifyQuery may bring a head that was kept outside the store.
type verifyQuery struct {
	Head string `query:"head" doc:"An end that the chain once had, as SEQ:MAC of a log line \"audit: head signed\"."`
}

func (a *API) auditVerify(ctx context.Context, who identity.Principal, in *verifyQuery) (*reply[client.AuditReport], error) {
	if err := may(who, identity.AuditRead, identity.Scope{}, "verify the market's audit trail"); err != nil {
		return nil, err
	}
	var outside []audit.Head
	if in.Head != "" {
		h, err := audit.ParseHead(in.Head)
		if err != nil {
			return nil, err
		}
		outside = append(outside, h)
	}
	r, err := a.Audit.Verify(ctx, outside...)
	return answer(client.AuditReport{OK: r.OK, Linked: r.Linked, Pending: r.Pending, Heads: r.Heads, FirstBad: r.FirstBad}, err)
}

// may asks Can where no room does: for the drawers, which know no principals.
func may(who identity.Principal, act identity.Action, s identity.Scope, what string) error {
	if identity.Can(who, act, s) {
		return nil
	}
	return fault.Forbidden.Errorf("You may not %s.", what).WithHint("Ask somebody with the right role; sutler whoami shows yours.")
}

func wireEntry(e audit.Entry) client.AuditEntry {
	return client.AuditEntry{ID: e.ID, At: e.At, Who: e.Who, Via: e.Via, Action: e.Action, Object: e.Object, Org: e.Org, Project: e.Project, Detail: e.Detail, Seq: e.Seq}
}
