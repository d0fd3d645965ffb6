package broker

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
)

// Broker is the room's front. Every method that takes a principal asks identity.Can itself: what may not be seen is fault.NotFound,
// what may be seen and not done is fault.Forbidden.
type Broker struct{}

// Market lists what who may buy, in the configuration's order.
func (b *Broker) Market(ctx context.Context, who identity.Principal) ([]Offer, error) {
	panic("unbuilt")
}

// Choose picks offering and plan for a need among what who may buy and what is up, and says why.
func (b *Broker) Choose(ctx context.Context, who identity.Principal, need catalog.Need) (catalog.Choice, error) {
	panic("unbuilt")
}

// Provision accepts an order, or finds the same one again: fresh tells which. A different order for the same platform id or name is fault.Conflict.
func (b *Broker) Provision(ctx context.Context, who identity.Principal, o ProvisionOrder) (i Instance, fresh bool, err error) {
	panic("unbuilt")
}

// Deprovision accepts a delete; its bindings go with it. The same delete again while it runs gives the same operation; one that is gone is fault.Gone.
func (b *Broker) Deprovision(ctx context.Context, who identity.Principal, instance string) (Instance, error) {
	panic("unbuilt")
}

// Bind accepts a binding, or finds the same one again.
func (b *Broker) Bind(ctx context.Context, who identity.Principal, o BindOrder) (bd Binding, fresh bool, err error) {
	panic("unbuilt")
}

// Unbind accepts the end of a binding.
func (b *Broker) Unbind(ctx context.Context, who identity.Principal, binding string) (Binding, error) {
	panic("unbuilt")
}

// Instance finds one by id, or by name within a project ("" project: by id only).
func (b *Broker) Instance(ctx context.Context, who identity.Principal, project, ref string) (Instance, error) {
	panic("unbuilt")
}

// InstanceOf finds a platform's instance by the platform's id, gone ones within the retention time included; newest first when the id was used again.
func (b *Broker) InstanceOf(ctx context.Context, who identity.Principal, platform, platformID string) (Instance, error) {
	panic("unbuilt")
}

// Instances lists the live instances of a scope, newest first.
func (b *Broker) Instances(ctx context.Context, who identity.Principal, s identity.Scope) ([]Instance, error) {
	panic("unbuilt")
}

// Binding finds one by id.
func (b *Broker) Binding(ctx context.Context, who identity.Principal, id string) (Binding, error) {
	panic("unbuilt")
}

// BindingOf finds a platform's binding of an instance by the platform's id, gone ones within the retention time included.
func (b *Broker) BindingOf(ctx context.Context, who identity.Principal, instance, platformID string) (Binding, error) {
	panic("unbuilt")
}

// Bindings lists the live bindings of an instance, an app or a project (whichever of the three is given).
func (b *Broker) Bindings(ctx context.Context, who identity.Principal, instance, app, project string) ([]Binding, error) {
	panic("unbuilt")
}

// Credentials opens a ready binding's credentials; it needs credentials:read and is audited before it answers.
func (b *Broker) Credentials(ctx context.Context, who identity.Principal, binding string) (Credentials, error) {
	panic("unbuilt")
}

// AppCredentials opens the credentials of all ready bindings of an app, in the order of their making; audited as one reading.
func (b *Broker) AppCredentials(ctx context.Context, who identity.Principal, app string) ([]Credentials, error) {
	panic("unbuilt")
}

// Operation finds one by id.
func (b *Broker) Operation(ctx context.Context, who identity.Principal, id string) (Operation, error) {
	panic("unbuilt")
}

// Operations lists operations of the whole market, newest first; stuck: only those that need a person.
func (b *Broker) Operations(ctx context.Context, who identity.Principal, stuck bool) ([]Operation, error) {
	panic("unbuilt")
}

// Wait returns once the operation has ended or d has passed, with what it is then; it wakes by signal and does not poll on one process.
func (b *Broker) Wait(ctx context.Context, operation string, d time.Duration) (Operation, error) {
	panic("unbuilt")
}

// Watch streams changes in a project until ctx ends. Slow readers lose changes, never block work.
func (b *Broker) Watch(ctx context.Context, who identity.Principal, project string) (<-chan Change, error) {
	panic("unbuilt")
}
