package broker

import (
	"context"
	"encoding/json"

	"github.com/sutlerhq/sutler/identity"
)

// backupRow is a backup as stored; counts is JSON, stream_key is sealed.
type backupRow struct {
	ID, Instance, InstanceName, Org, Project string
	Kind, Provider, Offering, Plan           string
	State, Note                              string
	Bytes                                    int64
	CountsBefore, Counts, StreamKey          string // what the instance held before and after it was copied
	Attempts, CreatedAt, EndedAt             int64  `gorm:"autoCreateTime:false"`
}

// TableName names the table for gorm.
func (backupRow) TableName() string { return "backups" }

func (r backupRow) scope() identity.Scope { return identity.Scope{Org: r.Org, Project: r.Project} }

func (r backupRow) view() Backup {
	bk := Backup{
		ID: r.ID, Instance: r.Instance, InstanceName: r.InstanceName, Org: r.Org, Project: r.Project, Kind: r.Kind, Provider: r.Provider,
		Offering: r.Offering, Plan: r.Plan, State: r.State, Note: r.Note, Bytes: r.Bytes, CreatedAt: instant(r.CreatedAt), EndedAt: instant(r.EndedAt),
	}
	_ = json.Unmarshal([]byte(r.Counts), &bk.Counts) // empty when it could not be counted
	return bk
}

func (b *Broker) insertBackup(ctx context.Context, r *backupRow) error {
	return b.DB.From(ctx).Create(r).Error
}

func (b *Broker) saveBackup(ctx context.Context, r backupRow) error {
	return b.DB.From(ctx).Exec(`UPDATE backups SET state = ?, note = ?, bytes = ?, counts_before = ?, counts = ?, stream_key = ?, attempts = ?, ended_at = ? WHERE id = ?`,
		r.State, r.Note, r.Bytes, r.CountsBefore, r.Counts, r.StreamKey, r.Attempts, r.EndedAt, r.ID).Error
}

// saveBackupBytes shows how far a copy is, unless it has ended meanwhile.
func (b *Broker) saveBackupBytes(ctx context.Context, id string, bytes int64) error {
	return b.DB.From(ctx).Exec(`UPDATE backups SET bytes = ? WHERE id = ? AND state = 'creating'`, bytes, id).Error
}

func (b *Broker) findBackup(ctx context.Context, id string) (r backupRow, found bool, err error) {
	err = b.DB.From(ctx).Raw(`SELECT * FROM backups WHERE id = ?`, id).Scan(&r).Error
	return r, r.ID != "", err
}

// unfinishedBackups gives those of a provider's instances that work is left at.
func (b *Broker) unfinishedBackups(ctx context.Context, provider string) (rows []backupRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT * FROM backups WHERE provider = ? AND state IN ('creating', 'deleting') ORDER BY id`, provider).Scan(&rows).Error
}

// listBackups gives those that are not gone, newest first.
func (b *Broker) listBackups(ctx context.Context, where string, arg any) (rows []backupRow, err error) {
	return rows, b.DB.From(ctx).Raw(`SELECT * FROM backups WHERE `+where+` AND state <> 'gone' ORDER BY created_at DESC, id DESC`, arg).Scan(&rows).Error
}
