package client

import (
	"context"
	"net/http"
	"time"
)

// Move takes an instance to another provider or plan. Until it is confirmed both instances exist, the old one suspended.
type Move struct {
	ID        string           `json:"id"`
	Name      string           `json:"name"`     // the instance's
	Instance  string           `json:"instance"` // id of the old one
	Target    string           `json:"target"`   // id of the new one
	From      string           `json:"from"`     // provider
	To        string           `json:"to"`       // provider
	Offering  string           `json:"offering"` // of the new one
	Plan      string           `json:"plan"`
	State     string           `json:"state"` // preparing suspending copying binding moved "rolling back" failing confirmed "rolled back" failed
	Note      string           `json:"note,omitempty"`
	Switched  bool             `json:"switched"`          // name and aliases are the new one's
	Bytes     int64            `json:"bytes"`             // copied
	Counted   map[string]int64 `json:"counted,omitempty"` // what the old one holds: rows by table, keys by database
	Copied    map[string]int64 `json:"copied,omitempty"`  // what the new one held when that was compared
	CreatedAt time.Time        `json:"created_at"`
	EndedAt   *time.Time       `json:"ended_at"`
	Why       string           `json:"why,omitempty"` // why this plan was chosen; where a move is begun
}

// Relocation says where to move an instance.
type Relocation struct {
	Provider string `json:"provider" doc:"Where it shall live."`
	Plan     string `json:"plan,omitempty" doc:"Chosen there when empty."`
}

// Return takes a move back.
type Return struct {
	Name string `json:"name,omitempty" doc:"The instance's name once more: needed when apps use the new instance already, since what they wrote there is lost."`
}

// MoveInstance begins a move.
func (c *Client) MoveInstance(ctx context.Context, at Place, instance string, r Relocation) (Move, error) {
	return call[Move](ctx, c, http.MethodPost, path("instances", instance, "move"), at.query(), r)
}

// Move finds the latest move of an instance.
func (c *Client) Move(ctx context.Context, at Place, instance string) (Move, error) {
	return get[Move](ctx, c, path("instances", instance, "move"), at.query())
}

// ConfirmMove destroys the old instance of a move.
func (c *Client) ConfirmMove(ctx context.Context, at Place, instance string) (Move, error) {
	return call[Move](ctx, c, http.MethodPost, path("instances", instance, "move", "confirm"), at.query(), struct{}{})
}

// RollBackMove gives the old instance its place again and destroys the new one.
func (c *Client) RollBackMove(ctx context.Context, at Place, instance string, r Return) (Move, error) {
	return call[Move](ctx, c, http.MethodPost, path("instances", instance, "move", "rollback"), at.query(), r)
}
