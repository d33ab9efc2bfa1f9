package edge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/ceremony"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) trustRoutes(r api.Router) {
	r.GET("/trust", api.Scoped("edge", identity.Read), api.Handle(s.httpTrust))
	r.PUT("/trust", api.Scoped("edge", identity.Write), api.Handle(s.httpOfferTrust))
	r.POST("/trust/keys", api.Scoped("edge", identity.Admin), api.Handle(s.httpCreateKey))
}

// trustOut is whose signatures count, for the keys page.
type trustOut struct {
	// Documents are the metadata that is accepted; empty before the first root.
	Documents []documentOut `json:"documents"`
	Roles     []roleOut     `json:"roles"`
	// PortalKeys are the timestamp keys that this server holds, the newest first.
	PortalKeys []portalKeyOut `json:"portal_keys"`
	// NodesByRoot counts accepted nodes by the root that they trust: "1", "2" …
	NodesByRoot map[string]int `json:"nodes_by_root"`
}

type documentOut struct {
	Role    string    `json:"role"`
	Version int64     `json:"version"`
	Expires time.Time `json:"expires"`
	Expired bool      `json:"expired"`
	// Newest is false for roots that were followed by another.
	Newest bool `json:"newest"`
}

type roleOut struct {
	Role      string   `json:"role"`
	Threshold int      `json:"threshold"`
	Keys      []keyOut `json:"keys"`
}

type keyOut struct {
	ID        string `json:"id"`
	PublicKey string `json:"public_key"`
	// Portal is true for keys that this server holds.
	Portal bool `json:"portal"`
	// Signed is true for keys that have signed the targets that are served now.
	Signed bool `json:"signed"`
}

type portalKeyOut struct {
	timestampKey
	// PublicKey is how the key ceremony wants it: bundle keys init --timestamp-key.
	PublicKey string `json:"public_key"`
}

func portalKey(k timestampKey) portalKeyOut {
	return portalKeyOut{k, ceremony.FormatPublic(k.Public)}
}

func (s *Service) httpTrust(ctx context.Context, in teamIn) (trustOut, error) {
	out := trustOut{Documents: []documentOut{}, Roles: []roleOut{}, PortalKeys: []portalKeyOut{}, NodesByRoot: map[string]int{}}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return out, err
	}
	t, err := s.trusted(ctx, team.ID)
	if err != nil {
		return out, err
	}
	keys, err := s.timestampKeys(ctx, team.ID, t)
	if err != nil {
		return out, err
	}
	for _, k := range keys {
		out.PortalKeys = append(out.PortalKeys, portalKey(k))
	}
	out.Documents, out.Roles = s.documents(t), s.roles(t, keys)
	versions, err := s.rows().rootVersions(ctx, team.ID)
	for version, n := range versions {
		out.NodesByRoot[fmt.Sprint(version)] = n
	}
	return out, err
}

func (s *Service) documents(t *trusted) []documentOut {
	out := []documentOut{}
	add := func(role string, d bundle.Document, newest bool) {
		out = append(out, documentOut{role, d.Version, d.Expires.UTC(), !d.Expires.After(s.Now()), newest})
	}
	for i, raw := range t.set.Roots {
		if d, _, err := bundle.RootRoles(raw); err == nil { // it was accepted once
			add("root", d, i == len(t.set.Roots)-1)
		}
	}
	if t.view != nil {
		add("targets", t.view.Targets, true)
		add("snapshot", t.view.Snapshot, true)
		if t.view.Timestamp.Version > 0 {
			add("timestamp", t.view.Timestamp, true)
		}
	}
	return out
}

func (s *Service) roles(t *trusted, keys []timestampKey) []roleOut {
	var signers []string
	if t.view != nil {
		signers = t.view.Signers()
	}
	out := []roleOut{}
	for _, role := range t.roles {
		r := roleOut{role.Name, role.Threshold, []keyOut{}}
		for _, k := range role.Keys {
			r.Keys = append(r.Keys, keyOut{ID: k.ID, PublicKey: ceremony.FormatPublic(k.Public),
				Portal: slices.ContainsFunc(keys, func(own timestampKey) bool { return own.ID == k.ID }), Signed: role.Name == "targets" && slices.Contains(signers, k.ID)})
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b roleOut) int { return strings.Compare(a.Role, b.Role) })
	return out
}

// offerIn is metadata as its bytes, base64 in JSON: hashes are over them.
type offerIn struct {
	Team     string   `json:"team" form:"-"`
	Roots    [][]byte `json:"roots" form:"-"`
	Snapshot []byte   `json:"snapshot" form:"-"`
	Targets  []byte   `json:"targets" form:"-"`
}

func (s *Service) httpOfferTrust(ctx context.Context, in offerIn) (trustOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return trustOut{}, err
	}
	if len(in.Roots) == 0 && len(in.Targets) == 0 {
		return trustOut{}, problem.FieldError("roots", "give signed metadata")
	}
	if err := s.OfferTrust(ctx, team.ID, bundle.Set{Roots: in.Roots, Snapshot: in.Snapshot, Targets: in.Targets}); err != nil {
		return trustOut{}, err
	}
	return s.httpTrust(ctx, teamIn{in.Team})
}

type createKeyIn struct {
	Team string `json:"team" form:"-"`
}

func (s *Service) httpCreateKey(ctx context.Context, in createKeyIn) (api.Created[portalKeyOut], error) {
	team, err := identity.RequireTeam(ctx, in.Team, administering)
	if err != nil {
		return api.Created[portalKeyOut]{}, err
	}
	k, err := s.CreateTimestampKey(ctx, team.ID)
	return api.Created[portalKeyOut]{Value: portalKey(k)}, err
}
