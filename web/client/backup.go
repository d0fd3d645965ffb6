package client

import (
	"context"
	"net/http"
	"time"
)

// Backup is a copy of an instance's data that the market keeps. It outlives its instance.
type Backup struct {
	ID        string           `json:"id"`
	Instance  string           `json:"instance"`      // id
	Name      string           `json:"instance_name"` // as it was called
	Kind      string           `json:"kind"`
	Provider  string           `json:"provider"`
	Offering  string           `json:"offering"`
	Plan      string           `json:"plan"`
	State     string           `json:"state"` // creating ready failed deleting
	Note      string           `json:"note,omitempty"`
	Bytes     int64            `json:"bytes"`            // so far, while it is being made
	Counts    map[string]int64 `json:"counts,omitempty"` // what the instance held: rows by table, keys by database, objects
	CreatedAt time.Time        `json:"created_at"`
	EndedAt   *time.Time       `json:"ended_at"`
}

// Restoration asks for a new instance with a backup's data.
type Restoration struct {
	Name     string `json:"name,omitempty" doc:"Of the new instance; made from the old one's when empty, or the same."`
	Provider string `json:"provider,omitempty" doc:"Where it shall live; as it was when empty."`
	Plan     string `json:"plan,omitempty"`
	// Uncounted takes what was restored without comparing it with what was counted when the backup was made.
	Uncounted bool `json:"uncounted,omitempty" doc:"Compare nothing with what was counted when the backup was made: apps were writing then."`
}

// BackUp begins a backup of an instance.
func (c *Client) BackUp(ctx context.Context, at Place, instance string) (Backup, error) {
	return call[Backup](ctx, c, http.MethodPost, path("instances", instance, "backups"), at.query(), nil)
}

// Backups lists the backups of a place, newest first; those of one instance (its name or id, also when it is gone) when that is given.
func (c *Client) Backups(ctx context.Context, at Place, instance string) ([]Backup, error) {
	q := at.query()
	if instance != "" {
		q.Set("instance", instance)
	}
	return get[[]Backup](ctx, c, path("backups"), q)
}

// Backup finds one by id.
func (c *Client) Backup(ctx context.Context, id string) (Backup, error) {
	return get[Backup](ctx, c, path("backups", id), nil)
}

// DeleteBackup ends a backup.
func (c *Client) DeleteBackup(ctx context.Context, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, path("backups", id), nil, nil)
	return err
}

// Restore asks for a new instance that is filled with a backup's data before it is ready.
func (c *Client) Restore(ctx context.Context, id string, r Restoration) (Ordered, error) {
	return post[Ordered](ctx, c, path("backups", id, "restore"), r)
}
