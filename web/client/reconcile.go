package client

import (
	"context"
	"net/url"
	"time"
)

// Suspend refuses logins to an instance and keeps its data.
type Suspend struct {
	Why string `json:"why,omitempty" maxLength:"500" doc:"For those who wonder."`
}

// Suspension is one reason why an instance is suspended: owner, operator, limit, budget or unpaid.
type Suspension struct {
	Reason string    `json:"reason"`
	Why    string    `json:"why,omitempty"`
	Since  time.Time `json:"since"`
}

// Excess is a limit of its plan that an instance has passed.
type Excess struct {
	Limit   string `json:"limit"`
	Allowed int64  `json:"allowed"`
	Used    int64  `json:"used"`
	Held    bool   `json:"held"` // the backend holds the limit itself
}

// Reconciliation is what comparing the market with its backends came to.
type Reconciliation struct {
	Checked     int          `json:"checked"` // instances
	Differences []Difference `json:"differences"`
	Skipped     []Skip       `json:"skipped"` // what could not be compared
}

// Difference is one thing that is otherwise at a backend than the market knows it. Kind is missing, access_missing, left, access_left, unknown,
// access_unknown or given_up.
type Difference struct {
	Kind         string `json:"kind"`
	Provider     string `json:"provider"`
	Instance     string `json:"instance,omitempty"` // id
	InstanceName string `json:"instance_name,omitempty"`
	Org          string `json:"org,omitempty"` // names of where it lives; an instance's name is unique in a project alone
	Project      string `json:"project,omitempty"`
	Binding      string `json:"binding,omitempty"`
	Backend      string `json:"backend,omitempty"` // what it is called there
	What         string `json:"what"`
	Done         string `json:"done"`           // what the market did about it
	Next         string `json:"next,omitempty"` // what a person can do
}

// Skip is what could not be compared, and why.
type Skip struct {
	Provider string `json:"provider"`
	Instance string `json:"instance,omitempty"`
	Why      string `json:"why"`
}

// SuspendInstance asks for a suspension; its operation goes on while the answer is already here.
func (c *Client) SuspendInstance(ctx context.Context, at Place, ref, why string) (Instance, error) {
	return call[Instance](ctx, c, "POST", path("instances", ref, "suspend"), at.query(), Suspend{Why: why})
}

// ResumeInstance lifts the caller's own suspension.
func (c *Client) ResumeInstance(ctx context.Context, at Place, ref string) (Instance, error) {
	return call[Instance](ctx, c, "POST", path("instances", ref, "resume"), at.query(), nil)
}

// Reconcile compares the market with its backends now; an empty provider means all.
func (c *Client) Reconcile(ctx context.Context, provider string) (Reconciliation, error) {
	q := url.Values{}
	if provider != "" {
		q.Set("provider", provider)
	}
	return call[Reconciliation](ctx, c, "POST", path("reconcile"), q, nil)
}
