package broker

import (
	"context"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/providers"
)

// The states of a backup beside "ready".
const (
	backupCreating = "creating"
	backupReady    = "ready"
	backupFailed   = "failed"
	backupDeleting = "deleting"
	backupGone     = "gone"
)

// Backup is a copy of an instance's data in the market's vault. It outlives its instance.
type Backup struct {
	ID, Instance, InstanceName     string
	Org, Project                   string // ids
	Kind, Provider, Offering, Plan string // names
	State                          string // creating ready failed deleting gone
	Note                           string // why it failed, for people
	Bytes                          int64  // in the vault; so far while it is being made
	Counts                         map[string]int64
	CreatedAt, EndedAt             time.Time // market time
}

func noBackup(ref string) error { return fault.NotFound.Errorf("There is no backup %q.", ref) }

// BackUp begins a backup of an instance. It goes on by itself; Backup tells how far it is.
func (b *Broker) BackUp(ctx context.Context, who identity.Principal, instance string) (Backup, error) {
	r, err := b.seenInstance(ctx, who, instance)
	if err == nil {
		err = may(who, identity.InstanceWrite, r.scope(), noInstance(instance))
	}
	if err == nil {
		err = b.backable(r)
	}
	if err != nil {
		return Backup{}, err
	}
	var row backupRow
	err = b.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if row, err = b.newBackup(ctx, who, r); err != nil {
			return err
		}
		b.DB.AfterCommit(ctx, func() { failpoint.Pass("broker", "backup", "accepted") })
		return failpoint.Hit("broker", "backup", "accepting")
	})
	return row.view(), err
}

// newBackup writes down, in the caller's transaction, that a backup of an instance is to be made, and wakes the work.
func (b *Broker) newBackup(ctx context.Context, who identity.Principal, r instanceRow) (row backupRow, err error) {
	row = backupRow{
		ID: ids.New("bak"), Instance: r.ID, InstanceName: r.Name, Org: r.Org, Project: r.Project, Kind: r.Kind, Provider: r.Provider,
		Offering: r.Offering, Plan: r.Plan, State: backupCreating, CreatedAt: b.Clock.Now().UnixMicro(),
	}
	if row.StreamKey, err = b.Box.Seal(ctx, row.Org, "backup/"+row.ID+"/key", seal.NewStreamKey()); err != nil {
		return row, err
	}
	if err := b.insertBackup(ctx, &row); err != nil {
		return row, err
	}
	if err := b.wakeBackup(ctx, row); err != nil {
		return row, err
	}
	return row, b.record(ctx, who, row.scope(), "backup.create", "backup/"+row.ID, map[string]string{"instance": row.Instance})
}

// backable tells why an instance cannot be backed up now.
func (b *Broker) backable(r instanceRow) error {
	if b.Vault == nil {
		return fault.Unprocessable.Errorf("This market keeps no backups.").WithHint("Its operator names a folder or a bucket for them in the configuration: backups.")
	}
	p, ok := b.Providers.Get(r.Provider)
	if ok && !p.Can(providers.BacksUp) {
		return fault.Unprocessable.Errorf("%s has no way to %s.", r.Provider, providers.BacksUp).WithHint("Use the backend's own tools with the credentials of a binding.")
	}
	if r.State != Ready && r.State != Suspended && r.State != Updating {
		return fault.Busy.Errorf("The instance is %s; it can be backed up when it is ready.", r.State).WithCode("ConcurrencyError")
	}
	return nil
}

// Backup finds one by id.
func (b *Broker) Backup(ctx context.Context, who identity.Principal, id string) (Backup, error) {
	row, err := b.seenBackup(ctx, who, id)
	return row.view(), err
}

func (b *Broker) seenBackup(ctx context.Context, who identity.Principal, id string) (backupRow, error) {
	row, found, err := b.findBackup(ctx, id)
	if err == nil && (!found || row.State == backupGone || !identity.Can(who, identity.InstanceRead, row.scope())) {
		return backupRow{}, noBackup(id)
	}
	return row, err
}

// Backups lists the backups of a project, newest first; of one instance when that is given. Instances may be gone meanwhile.
func (b *Broker) Backups(ctx context.Context, who identity.Principal, s identity.Scope, instance string) ([]Backup, error) {
	if err := may(who, identity.InstanceRead, s, noProject(s.Project)); err != nil {
		return nil, err
	}
	where, arg := "project = ?", s.Project
	if instance != "" {
		where, arg = "instance = ?", instance
	}
	rows, err := b.listBackups(ctx, where, arg)
	list := make([]Backup, 0, len(rows))
	for _, r := range rows {
		if identity.Can(who, identity.InstanceRead, r.scope()) {
			list = append(list, r.view())
		}
	}
	return list, err
}

// DeleteBackup ends a backup; one that is still being made, too.
func (b *Broker) DeleteBackup(ctx context.Context, who identity.Principal, id string) error {
	row, err := b.seenBackup(ctx, who, id)
	if err == nil {
		err = may(who, identity.InstanceWrite, row.scope(), noBackup(id))
	}
	if err != nil || row.State == backupDeleting {
		return err
	}
	return b.DB.Tx(ctx, func(ctx context.Context) error { return b.dropBackup(ctx, who, row) })
}

// dropBackup writes down, in the caller's transaction, that a backup is to be removed, and wakes the work.
func (b *Broker) dropBackup(ctx context.Context, who identity.Principal, row backupRow) (err error) {
	if err := b.wakeBackup(ctx, row); err != nil { // the task's row comes first
		return err
	}
	if row, _, err = b.findBackup(ctx, row.ID); err != nil {
		return err
	}
	row.State, row.EndedAt = backupDeleting, b.Clock.Now().UnixMicro()
	if err := b.saveBackup(ctx, row); err != nil {
		return err
	}
	return b.record(ctx, who, row.scope(), "backup.delete", "backup/"+row.ID, map[string]string{"instance": row.Instance})
}

// RestoreOrder asks for a new instance with a backup's data. Nothing that exists is written over.
type RestoreOrder struct {
	Backup, Name   string // Name of the new instance; made up from the old one's when empty or taken by it
	Provider, Plan string // where it shall live; as it was when empty
	Project        identity.Scope
	Currency       string
	Uncounted      bool // take what was restored without comparing it with what was counted when the backup was made
}

// Restore orders a new instance of the backup's kind that is filled with its data before it is ready, and says what was chosen.
func (b *Broker) Restore(ctx context.Context, who identity.Principal, o RestoreOrder) (Instance, catalog.Choice, error) {
	row, err := b.seenBackup(ctx, who, o.Backup)
	if err == nil {
		err = may(who, identity.InstanceWrite, row.scope(), noBackup(o.Backup))
	}
	if err != nil {
		return Instance{}, catalog.Choice{}, err
	}
	if row.State != backupReady {
		return Instance{}, catalog.Choice{}, fault.Conflict.Errorf("%s: there is nothing to restore from it.", map[string]string{
			backupCreating: "The backup is still being made", backupFailed: "The backup could not be made", backupDeleting: "The backup is being deleted",
		}[row.State])
	}
	need := catalog.Need{Want: row.Kind, Provider: o.Provider, Plan: o.Plan, Currency: o.Currency}
	if o.Provider == "" {
		need.Want, need.Provider = row.Offering, row.Provider
		if o.Plan == "" {
			need.Plan = row.Plan
		}
	}
	choice, err := b.chooseBackable(ctx, who, need)
	if err != nil {
		return Instance{}, choice, err
	}
	source := "backup/" + row.ID
	if o.Uncounted {
		source += "/" + uncounted
	}
	i, _, err := b.Provision(ctx, who, ProvisionOrder{
		Org: row.Org, Project: row.Project, Name: b.restoredName(ctx, row, o.Name), Offering: choice.Offering.ID, Plan: choice.Plan.ID,
		Why: choice.Why, AcceptsAsync: true, source: source,
	})
	return i, choice, err
}

// chooseBackable chooses among providers that can be filled from a copy.
func (b *Broker) chooseBackable(ctx context.Context, who identity.Principal, need catalog.Need) (catalog.Choice, error) {
	choice, err := b.Choose(ctx, who, need)
	if err != nil {
		return choice, err
	}
	if p, ok := b.Providers.Get(choice.Offering.Provider); ok && !p.Can(providers.BacksUp) {
		return choice, fault.Unprocessable.Errorf("%s has no way to take a copy in.", p.Name).WithHint("Choose another provider of the kind %s.", choice.Offering.Kind)
	}
	return choice, nil
}

// restoredName is the name that was asked for, or, when that is the old instance's or none, one made of it.
func (b *Broker) restoredName(ctx context.Context, row backupRow, asked string) string {
	if asked != "" && asked != row.InstanceName {
		return asked
	}
	name := row.InstanceName + "-restored"
	if _, taken, err := b.findInstance(ctx, "project = ? AND name = ? AND state <> 'gone'", row.Project, name); err == nil && taken {
		return strings.ToLower(name + "-" + row.ID[len(row.ID)-6:])
	}
	return name
}
