package osb

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
)

// told is what a platform's context says of where it stands; Cloud Foundry and Kubernetes name it differently.
type told struct {
	Platform         string `json:"platform"`
	OrganizationName string `json:"organization_name"`
	SpaceName        string `json:"space_name"`
	ClusterID        string `json:"clusterid"`
	Namespace        string `json:"namespace"`
}

func toldBy(rawContext json.RawMessage) (t told) {
	_ = json.Unmarshal(rawContext, &t) // checked to be an object; a word of another type is none
	return t
}

// within gives a mapped platform, which comes without any role, the one that it has where the request's instance lives.
func (d *door) within(ctx context.Context, who identity.Principal, r *http.Request) (identity.Principal, error) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/v2/service_instances/")
	if !ok || len(who.Grants) > 0 {
		return who, nil
	}
	encoded, _, _ := strings.Cut(rest, "/")
	platformID, err := id(encoded)
	if err != nil {
		return who, err
	}
	scope, found, err := d.Broker.WhereOf(ctx, who, platformID)
	if err != nil || !found {
		return who, err
	}
	return d.Directory.PlatformAt(ctx, who, scope)
}

// order sends a provision to the project that the platform's organisation and space stand for. A place that is seen for the first time is settled
// in the order's own transaction, so that a refused order leaves nothing behind.
func (s *server) order(ctx context.Context, d domain.ProvisionDetails, o broker.ProvisionOrder) (i broker.Instance, fresh bool, err error) {
	b := boxOf(ctx)
	says := toldBy(d.RawContext)
	at := directory.Place{
		Org: d.OrganizationGUID, OrgName: cmp.Or(says.OrganizationName, says.ClusterID), Space: d.SpaceGUID, SpaceName: cmp.Or(says.SpaceName, says.Namespace),
	}
	known, err := s.orderAt(ctx, at, &o)
	if err != nil {
		return i, false, err
	}
	if !known {
		err = s.Broker.DB.Tx(ctx, func(ctx context.Context) error {
			p, there, err := s.Directory.Settle(ctx, b.who, at)
			if err != nil {
				return err
			}
			o.Org, o.Project = p.Org, p.ID
			i, fresh, err = s.Broker.Provision(ctx, there, o)
			return err
		})
		if err == nil {
			_, err = s.orderAt(ctx, at, &o)
			return i, fresh, err
		}
		// Refused, or the same place was settled by another request at this moment: then it is known by now.
		known, again := s.orderAt(ctx, at, &o)
		if again != nil {
			return i, false, again
		}
		if !known {
			return i, false, err
		}
	}
	return s.Broker.Provision(ctx, b.who, o)
}

// orderAt puts the project of a place into the order, and the platform's role there into the request, when the place is known.
func (s *server) orderAt(ctx context.Context, at directory.Place, o *broker.ProvisionOrder) (known bool, err error) {
	b := boxOf(ctx)
	p, there, known, err := s.Directory.PlaceOf(ctx, b.who, at)
	if err == nil && known {
		b.who, o.Org, o.Project = there, p.Org, p.ID
	}
	return known, err
}

// bindApp sends a bind to the broker; an app_guid that is seen for the first time becomes an app in the same transaction. Service keys name none,
// and a rotation has its predecessor's whatever it names.
func (s *server) bindApp(ctx context.Context, i broker.Instance, d domain.BindDetails, o broker.BindOrder) (bd broker.Binding, fresh bool, err error) {
	guid := d.AppGUID
	if d.BindResource != nil {
		guid = cmp.Or(guid, d.BindResource.AppGuid)
	}
	who := boxOf(ctx).who
	if guid == "" || o.Predecessor != "" {
		return s.Broker.Bind(ctx, who, o)
	}
	err = s.Broker.DB.Tx(ctx, func(ctx context.Context) error {
		app, err := s.Directory.EnsureApp(ctx, who, i.Project, guid, appName(boxOf(ctx).body))
		if err != nil {
			return err
		}
		o.App = app.ID
		bd, fresh, err = s.Broker.Bind(ctx, who, o)
		return err
	})
	return bd, fresh, err
}

// appName is what the app is called at the platform, when the bind says so: a name beside its id, or an annotation that ends in "name".
func appName(body map[string]json.RawMessage) string {
	var resource struct {
		AppName     string         `json:"app_name"`
		Annotations map[string]any `json:"app_annotations"`
	}
	_ = json.Unmarshal(body["bind_resource"], &resource) // what has another type says nothing
	if resource.AppName != "" {
		return wishedApp(resource.AppName)
	}
	for _, key := range []string{"app_name", "app-name", "name", "app.kubernetes.io/name"} {
		if name, ok := resource.Annotations[key].(string); ok && name != "" {
			return wishedApp(name)
		}
	}
	return ""
}

// wishedApp is a name as far as it can be one of ours.
func wishedApp(name string) string {
	name = notInNames.ReplaceAllString(strings.ToLower(name), "-")
	return strings.Trim(name[:min(len(name), 40)], "-")
}
