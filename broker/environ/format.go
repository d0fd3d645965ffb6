package environ

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Format names a form that an environment can be written in.
type Format string

// The formats.
const (
	Dotenv         Format = "dotenv"         // .env files: quotes as most readers take them
	Shell          Format = "shell"          // for eval in a POSIX shell
	JSON           Format = "json"           // one object, name to value
	Vcap           Format = "vcap"           // the value of VCAP_SERVICES alone
	Compose        Format = "compose"        // env_file of docker compose
	Systemd        Format = "systemd"        // EnvironmentFile= of a unit
	K8s            Format = "k8s"            // a Secret manifest with all variables
	ServiceBinding Format = "servicebinding" // a Secret manifest per binding, as servicebinding.io has them
)

// Formats lists them all.
func Formats() []Format {
	return []Format{Dotenv, Shell, JSON, Vcap, Compose, Systemd, K8s, ServiceBinding}
}

// Render writes the environment of an app. It fails on an unknown format, and names the variable whose value a format cannot hold; the
// value itself is in no error.
func Render(f Format, app string, bindings []Binding) ([]byte, error) {
	switch f {
	case Vcap:
		services, err := VCAP(bindings)
		return append(services, '\n'), err
	case ServiceBinding:
		return secrets(bindings)
	}
	variables, err := Variables(bindings)
	if err != nil {
		return nil, err
	}
	for _, v := range variables {
		if strings.ContainsRune(v.Value, 0) || !utf8.ValidString(v.Value) {
			return nil, fmt.Errorf("the value of %s is not text: no environment can hold it", v.Name)
		}
	}
	switch f {
	case Dotenv:
		return lines(variables, dotenv)
	case Shell:
		return lines(variables, shell)
	case Compose:
		return lines(variables, compose)
	case Systemd:
		return lines(variables, systemd)
	case JSON:
		return object(variables)
	case K8s:
		return secret(app, variables)
	}
	return nil, fmt.Errorf("there is no format %q; there are %v", f, Formats())
}

// lines writes one assignment after the other.
func lines(variables []Variable, assign func(Variable) (string, error)) ([]byte, error) {
	var buf bytes.Buffer
	for _, v := range variables {
		line, err := assign(v)
		if err != nil {
			return nil, err
		}
		buf.WriteString(line + "\n")
	}
	return buf.Bytes(), nil
}

func object(variables []Variable) ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteString("{")
	for n, v := range variables {
		value, err := compact(v.Value)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			buf.WriteString(",")
		}
		fmt.Fprintf(&buf, "\n  %q: %s", v.Name, value) // a name is letters, digits and underscores
	}
	buf.WriteString("\n}\n")
	return buf.Bytes(), nil
}
