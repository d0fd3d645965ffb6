package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

// devFolder is where `sutler dev` keeps its things unless told otherwise.
const devFolder = ".sutler"

// market is where the command line goes, as whom, and what it looks at when nothing is said.
type market struct {
	URL     string `json:"url"`
	Token   string `json:"token"`
	Org     string `json:"org"`
	Project string `json:"project"`
}

// connect finds the market: --server or SUTLER_URL with SUTLER_TOKEN, else SUTLER_DEV, else the login, else a `sutler dev` in this folder.
func (s *session) connect() (*client.Client, error) {
	m, err := s.find()
	if err == nil {
		err = checkAddress(m.URL)
	}
	if err != nil {
		return nil, err
	}
	s.org = cmp.Or(s.org, s.env("SUTLER_ORG"), m.Org)
	s.project = cmp.Or(s.project, s.env("SUTLER_PROJECT"))
	if s.org == m.Org {
		s.shelf = m.Project
	}
	return client.New(m.URL, m.Token), nil
}

func (s *session) find() (market, error) {
	if address := cmp.Or(s.server, s.env("SUTLER_URL")); address != "" {
		if token := s.env("SUTLER_TOKEN"); token != "" {
			return market{URL: address, Token: token}, nil
		}
		saved, err := s.logins().load()
		if err == nil && saved.URL == address {
			return saved, nil
		}
		return market{URL: address}, nil
	}
	if folder := s.env("SUTLER_DEV"); folder != "" {
		return readDev(folder)
	}
	saved, err := s.logins().load()
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return saved, err
	}
	if here, err := readDev(devFolder); err == nil {
		s.say("Using the market of %s (%s).", filepath.Join(devFolder, "dev.json"), here.URL)
		return here, nil
	}
	return market{}, fault.Unauthenticated.Errorf("You are not signed in to any market.").
		WithHint("Run sutler login --server https://…, or set SUTLER_URL and SUTLER_TOKEN; to try it here, run sutler dev.")
}

// checkAddress tells whether a market can be at address, before anybody is asked.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usagef("%q is no address of a market.", address).next("Write --server or SUTLER_URL like https://market.example.com.")
	}
	return nil
}

// readDev reads what `sutler dev` wrote when it was ready.
func readDev(folder string) (market, error) {
	file := filepath.Join(folder, "dev.json")
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return market{}, fault.NotFound.Errorf("There is no %s.", file).WithHint("Start the market with sutler dev --data %s and wait until it is ready.", folder)
	}
	var m market
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		return market{}, fault.Invalid.Wrap(err, "%s cannot be read: %v.", file, err)
	}
	return m, nil
}

// place is where commands look: everywhere that the caller sees, unless a project is named.
func (s *session) place() client.Place { return client.Place{Org: s.org, Project: s.project} }

// home is the project that new things are put in: the named one, else the one that the market proposes.
func (s *session) home() string { return cmp.Or(s.project, s.shelf) }

// say writes a line of talk.
func (s *session) say(format string, a ...any) { _, _ = fmt.Fprintf(s.err, format+"\n", a...) }
