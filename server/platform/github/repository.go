package github

import (
	"context"
	"net/url"
	"strings"
)

// Repository is where a commit's status goes.
type Repository struct {
	Connection  string
	Owner, Name string
}

// Remember notes what GitHub calls the repository that is cloned from place, as
// the delivery told, in the context's transaction. GitHub's names differ in case only
// by how people write them, so places are kept in lower case and names as last told.
func (s *Service) Remember(ctx context.Context, d Delivery, place, owner, name string) error {
	if place == "" || owner == "" || name == "" {
		return nil
	}
	row, err := s.findHook(ctx, d.Hook)
	if err != nil {
		return err
	}
	connection := ""
	if row.ConnectionID != nil {
		connection = *row.ConnectionID
	}
	seen := repositoryRow{TeamID: d.Team, Place: normalPlace(place), Owner: owner, Name: name, ConnectionID: connection, SeenAt: s.millis(), HookID: d.Hook}
	if !d.Gap { // what was fetched may be older than the repository's end
		seen.GoneAt = int64(d.ReceivedAt)
	}
	return s.saveRepository(ctx, seen)
}

// RepositoryAt finds what GitHub calls the repository cloned from place
// ("host/owner/name"), and a connection that reaches it: the hook's, else the
// team's whose API is of the same host, else the only one. False when there is none.
func (s *Service) RepositoryAt(ctx context.Context, team int64, place string) (Repository, bool, error) {
	row, known, err := s.findRepository(ctx, team, place)
	if err != nil {
		return Repository{}, false, err
	}
	connections, err := s.Connections(ctx, team)
	if err != nil {
		return Repository{}, false, err
	}
	host, path, _ := strings.Cut(normalPlace(place), "/")
	r := Repository{Owner: row.Owner, Name: row.Name}
	if !known {
		owner, name, two := strings.Cut(path, "/")
		if !two || strings.Contains(name, "/") {
			return Repository{}, false, nil
		}
		r.Owner, r.Name = owner, name
	}
	for _, c := range connections {
		if c.ID == row.ConnectionID || row.ConnectionID == "" && cloneHost(c.APIURL) == host {
			r.Connection = c.ID
			return r, true, nil
		}
	}
	if known && len(connections) == 1 {
		r.Connection = connections[0].ID
		return r, true, nil
	}
	return Repository{}, false, nil
}

// cloneHost is where repositories of an API are cloned from: github.com has its
// API on a host of its own, an Enterprise Server below /api/v3.
func cloneHost(apiURL string) string {
	u, err := url.Parse(apiURL)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.ToLower(u.Hostname()), "api.")
}
