package directory

import (
	"context"
	"strings"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// Human is a person that may sign in. (Person is a kind of principal.)
type Human struct {
	ID, Email, Name string
	Operator        bool
}

// ByHuman gives the principal of a human, with current grants (sessions use it at every request); fault.Unauthenticated when there is none.
func (d *Directory) ByHuman(ctx context.Context, id string) (identity.Principal, error) {
	h, found, err := d.store.human(ctx, id)
	if err != nil {
		return identity.Principal{}, err
	}
	if !found {
		return identity.Principal{}, fault.Unauthenticated.Errorf("Who is asking is not known any more.").WithHint("Sign in again.")
	}
	grants, err := d.store.grants(ctx, h.ID)
	if err != nil {
		return identity.Principal{}, err
	}
	if h.Operator {
		grants = append(grants, identity.Grant{Role: identity.Operator})
	}
	return identity.Principal{Kind: identity.Person, ID: h.ID, Name: h.Name, Email: h.Email, Grants: grants}, nil
}

// SignIn finds or makes the human behind (issuer, subject) and links them. People are known by issuer and subject; the email matches only a
// human who was invited and never came in before, and only when the issuer has verified it. Our own issuer's subjects are our humans' ids.
func (d *Directory) SignIn(ctx context.Context, issuer, subject, email string, verified bool, name string) (Human, error) {
	if issuer == OwnIssuer {
		return d.ownHuman(ctx, subject)
	}
	h, found, err := d.store.humanByLink(ctx, issuer, subject)
	if err != nil || found {
		return h, err
	}
	if issuer == "" || subject == "" || !verified {
		return Human{}, fault.Forbidden.Errorf("Your issuer has not verified your email address.").WithHint("Verify it there, then sign in again.")
	}
	email, err = normalEmail(email)
	if err != nil {
		return Human{}, err
	}
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		h, err = d.welcome(ctx, issuer, subject, email, name)
		return err
	})
	if err != nil {
		return Human{}, err
	}
	return h, nil
}

func (d *Directory) ownHuman(ctx context.Context, id string) (Human, error) {
	h, found, err := d.store.human(ctx, id)
	if err == nil && !found {
		err = fault.Unauthenticated.Errorf("Who is asking is not known any more.").WithHint("Sign in again.")
	}
	return h, err
}

// welcome links a subject that comes for the first time.
func (d *Directory) welcome(ctx context.Context, issuer, subject, email, name string) (Human, error) {
	h, found, err := d.store.humanByEmail(ctx, email)
	if err != nil {
		return Human{}, err
	}
	if found {
		settled, err := d.store.settled(ctx, h.ID)
		if err != nil {
			return Human{}, err
		}
		if settled {
			return Human{}, fault.Conflict.Errorf("This email address already signs in another way.").WithHint("Sign in as before, or ask an operator.")
		}
	} else if h, err = d.invite(ctx, email); err != nil {
		return Human{}, err
	}
	if name, err := checkTitle("/name", name, h.Name); err == nil {
		h.Name = name
	}
	if err := d.store.link(ctx, issuer, subject, h, d.now()); err != nil {
		return Human{}, err
	}
	me := identity.Principal{Kind: identity.Person, ID: h.ID, Email: h.Email}
	return h, d.note(ctx, me, identity.Scope{}, "human.link", "human/"+h.ID, map[string]string{"issuer": issuer})
}

// invite makes the human of an email unless there is one, in the caller's transaction.
func (d *Directory) invite(ctx context.Context, email string) (Human, error) {
	name, _, _ := strings.Cut(email, "@")
	if err := d.store.addHuman(ctx, Human{ID: ids.New("per"), Email: email, Name: name}, d.now()); err != nil {
		return Human{}, err
	}
	h, _, err := d.store.humanByEmail(ctx, email)
	return h, err
}

// Bootstrap makes the first operator, once: fault.Conflict when there is one, also when two try at the same moment.
func (d *Directory) Bootstrap(ctx context.Context, email, name, password string) (Human, error) {
	email, err := normalEmail(email)
	if err != nil {
		return Human{}, err
	}
	if name, err = checkTitle("/name", name, email); err != nil {
		return Human{}, err
	}
	hash, err := d.hash(ctx, password)
	if err != nil {
		return Human{}, err
	}
	var h Human
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		first, err := d.store.mark(ctx, "bootstrap", d.now())
		if err != nil {
			return err
		}
		if operators, err := d.store.operators(ctx); err != nil {
			return err
		} else if !first || operators > 0 {
			return fault.Conflict.Errorf("The market has an operator already.").WithHint("Ask an operator to let you in.")
		}
		if h, err = d.invite(ctx, email); err != nil {
			return err
		}
		h.Name, h.Operator = name, true
		if err := d.store.settleHuman(ctx, h, hash); err != nil {
			return err
		}
		who := identity.Principal{Kind: identity.System, Name: "bootstrap"}
		return d.note(ctx, who, identity.Scope{}, "operator.bootstrap", "human/"+h.ID, nil)
	})
	if err != nil {
		return Human{}, err
	}
	return h, nil
}

// SetOperator makes or unmakes an operator; operators ask. The last one cannot be unmade.
func (d *Directory) SetOperator(ctx context.Context, who identity.Principal, email string, operator bool) (Human, error) {
	if err := inMarket(who, identity.PlatformManage); err != nil {
		return Human{}, err
	}
	email, err := normalEmail(email)
	if err != nil {
		return Human{}, err
	}
	var h Human
	err = d.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := d.store.mark(ctx, "operators", d.now()); err != nil { // concurrent changes queue at this row
			return err
		}
		if h, err = d.invite(ctx, email); err != nil {
			return err
		}
		h.Operator = operator
		if err := d.store.setOperator(ctx, h.ID, operator); err != nil {
			return err
		}
		if n, err := d.store.operators(ctx); err != nil {
			return err
		} else if n == 0 {
			return fault.Unprocessable.Errorf("The market keeps at least one operator.")
		}
		detail := map[string]string{"operator": map[bool]string{true: "yes", false: "no"}[operator]}
		return d.note(ctx, who, identity.Scope{}, "operator.set", "human/"+h.ID, detail)
	})
	if err != nil {
		return Human{}, err
	}
	return h, nil
}
