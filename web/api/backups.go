package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/client"
)

// backupQuery says whose backups are listed.
type backupQuery struct {
	Place
	Instance string `query:"instance" doc:"Of this instance alone, by name or id; it may be gone."`
}

// backupRef names one backup.
type backupRef struct {
	ID string `path:"id"`
}

// restoration is the body of backup-restore.
type restoration struct {
	ID   string `path:"id"`
	Body client.Restoration
}

func (a *API) backups() {
	register(a, route{method: http.MethodPost, path: prefix + "/instances/{ref}/backups", id: "backup-create", tag: "backups", status: http.StatusAccepted, summary: "Start a backup of an instance."}, a.backupCreate)
	register(a, route{method: http.MethodGet, path: prefix + "/backups", id: "backup-list", tag: "backups", summary: "Backups, newest first; of gone instances too."}, a.backupList)
	register(a, route{method: http.MethodGet, path: prefix + "/backups/{id}", id: "backup-get", tag: "backups", summary: "One backup, and how far it is."}, a.backupGet)
	register(a, route{method: http.MethodDelete, path: prefix + "/backups/{id}", id: "backup-delete", tag: "backups", status: http.StatusNoContent, summary: "End a backup."}, a.backupDelete)
	register(a, route{method: http.MethodPost, path: prefix + "/backups/{id}/restore", id: "backup-restore", tag: "backups", status: http.StatusAccepted, summary: "Start making a new instance with a backup's data. Nothing that exists is written over."}, a.backupRestore)
}

func (a *API) backupCreate(ctx context.Context, who identity.Principal, in *instanceRef) (*reply[client.Backup], error) {
	i, err := a.instance(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	bk, err := a.Broker.BackUp(ctx, who, i.ID)
	return answer(wireBackup(bk), err)
}

func (a *API) backupList(ctx context.Context, who identity.Principal, in *backupQuery) (*reply[[]client.Backup], error) {
	projects, err := a.projects(ctx, who, in.Place)
	if err != nil {
		return nil, err
	}
	var all []broker.Backup
	for _, p := range projects {
		list, err := a.Broker.Backups(ctx, who, identity.Scope{Org: p.Org, Project: p.ID}, "")
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	if in.Instance != "" {
		all = slices.DeleteFunc(all, func(bk broker.Backup) bool { return bk.Instance != in.Instance && bk.InstanceName != in.Instance })
	}
	slices.SortStableFunc(all, func(x, y broker.Backup) int { return y.CreatedAt.Compare(x.CreatedAt) })
	return answer(each(all, nil, wireBackup))
}

func (a *API) backupGet(ctx context.Context, who identity.Principal, in *backupRef) (*reply[client.Backup], error) {
	bk, err := a.Broker.Backup(ctx, who, in.ID)
	return answer(wireBackup(bk), err)
}

func (a *API) backupDelete(ctx context.Context, who identity.Principal, in *backupRef) (*struct{}, error) {
	return nil, a.Broker.DeleteBackup(ctx, who, in.ID)
}

func (a *API) backupRestore(ctx context.Context, who identity.Principal, in *restoration) (*reply[client.Ordered], error) {
	bk, err := a.Broker.Backup(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	currency, err := a.Ledger.Currency(ctx, bk.Org)
	if err != nil {
		return nil, err
	}
	i, choice, err := a.Broker.Restore(ctx, who, broker.RestoreOrder{
		Backup: in.ID, Name: in.Body.Name, Provider: in.Body.Provider, Plan: in.Body.Plan, Currency: currency, Uncounted: in.Body.Uncounted,
	})
	if err != nil {
		return nil, err
	}
	return answer(client.Ordered{
		Instance: a.namer().instance(ctx, i), Fresh: true, Currency: currency,
		Monthly: choice.Monthly.String(), Price: wirePlan(choice.Plan).Price(currency),
	}, nil)
}

func wireBackup(bk broker.Backup) client.Backup {
	out := client.Backup{
		ID: bk.ID, Instance: bk.Instance, Name: bk.InstanceName, Kind: bk.Kind, Provider: bk.Provider, Offering: bk.Offering, Plan: bk.Plan,
		State: bk.State, Note: bk.Note, Bytes: bk.Bytes, Counts: bk.Counts, CreatedAt: bk.CreatedAt,
	}
	if !bk.EndedAt.IsZero() {
		out.EndedAt = &bk.EndedAt
	}
	return out
}
