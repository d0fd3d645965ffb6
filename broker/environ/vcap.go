package environ

import (
	"bytes"
	"encoding/json"
)

// service is one entry of VCAP_SERVICES. Names and nulls are those that client libraries look for.
type service struct {
	Name           string         `json:"name"`
	BindingGUID    string         `json:"binding_guid"`
	BindingName    *string        `json:"binding_name"`
	InstanceGUID   string         `json:"instance_guid"`
	InstanceName   string         `json:"instance_name"`
	Label          string         `json:"label"`
	Tags           []string       `json:"tags"`
	Plan           string         `json:"plan"`
	Provider       *string        `json:"provider"`
	Credentials    map[string]any `json:"credentials"`
	SyslogDrainURL *string        `json:"syslog_drain_url"`
	VolumeMounts   []any          `json:"volume_mounts"`
}

// VCAP gives the value of VCAP_SERVICES: one line of JSON, bindings listed under their offering.
func VCAP(bindings []Binding) ([]byte, error) {
	all := map[string][]service{}
	for _, b := range bindings {
		s := service{
			Name: b.InstanceName, BindingGUID: b.BindingID, InstanceGUID: b.InstanceID, InstanceName: b.InstanceName,
			Label: b.Offering, Tags: b.Tags, Plan: b.Plan, Credentials: b.Credentials, VolumeMounts: []any{},
		}
		if s.Tags == nil {
			s.Tags = []string{}
		}
		if s.Credentials == nil {
			s.Credentials = map[string]any{}
		}
		all[b.Offering] = append(all[b.Offering], s)
	}
	return compact(all)
}

// compact is JSON on one line that leaves & and < as they are.
func compact(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(buf.Bytes(), "\n"), err
}
