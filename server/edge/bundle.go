package edge

import (
	"context"
	"encoding/json"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Bundle is a published one, as lists show it; all of it is in its manifest.
type Bundle struct {
	ID             string          `json:"id"`
	Team           int64           `json:"-"`
	Version        int64           `json:"version"`
	Channel        string          `json:"channel"`
	CreatedAt      api.Millis      `json:"created_at"`
	ExpiresAt      api.Millis      `json:"expires_at"`
	ManifestSHA256 string          `json:"manifest_sha256"`
	SBOMSHA256     string          `json:"sbom_sha256"`
	Variants       []BundleVariant `json:"variants"`
	Fixes          int64           `json:"fixes"`
	Packages       int64           `json:"packages"`
	// Size is of everything but deltas, DeltaSize of these.
	Size      int64 `json:"size"`
	DeltaSize int64 `json:"delta_size"`
	// Signers are the keys whose signatures on the metadata were good when it was published.
	Signers     []Signer   `json:"signers"`
	PublishedBy string     `json:"published_by"`
	PublishedAt api.Millis `json:"published_at"`
}

// BundleVariant is what a bundle is for.
type BundleVariant struct {
	Name     string `json:"name"`
	Codename string `json:"codename"`
	Packages int    `json:"packages"`
	Rollback int    `json:"rollback"`
	Size     int64  `json:"size"`
	// Best is what a node fetches that has a base for every delta.
	Best int64 `json:"best"`
}

// Signer is a key by the role that it signs for.
type Signer struct {
	Role  string `json:"role"`
	KeyID string `json:"key_id"`
}

// BundleStatus is a bundle with what the signatures say of it today.
type BundleStatus struct {
	Bundle
	// Vouched tells whether the newest metadata still names it; false: it was withdrawn.
	Vouched bool `json:"vouched"`
	Expired bool `json:"expired"`
	// Nodes counts accepted nodes that report it, by agent state.
	Nodes    map[string]int64 `json:"nodes"`
	Manifest json.RawMessage  `json:"manifest"`
}

// Bundle gives one of a team's, with its manifest.
func (s *Service) Bundle(ctx context.Context, team int64, id string) (BundleStatus, error) {
	out := BundleStatus{}
	if err := identity.Require(ctx, team, reading); err != nil {
		return out, err
	}
	b, err := s.rows().bundle(ctx, team, id)
	if err != nil {
		return out, err
	}
	out.Bundle = b
	if out.Vouched, err = s.vouched(ctx, b); err != nil {
		return out, err
	}
	out.Expired = int64(b.ExpiresAt) <= s.millis()
	if out.Nodes, err = s.rows().nodesWith(ctx, team, id); err != nil {
		return out, err
	}
	out.Manifest, err = s.manifest(ctx, b)
	return out, err
}

// vouched tells whether the team's newest metadata names a bundle as it was published.
func (s *Service) vouched(ctx context.Context, b Bundle) (bool, error) {
	t, err := s.trusted(ctx, b.Team)
	if err != nil || t.view == nil {
		return false, err
	}
	return t.view.Bundles()[b.ID].SHA256 == b.ManifestSHA256, nil
}

// Assignable gives a bundle that a rollout may bring to nodes: vouched for and not expired.
func (s *Service) Assignable(ctx context.Context, team int64, id string) (Bundle, error) {
	b, err := s.rows().bundle(ctx, team, id)
	if err != nil {
		return b, err
	}
	ok, err := s.vouched(ctx, b)
	switch {
	case err != nil:
		return b, err
	case !ok:
		return b, problem.New(problem.Conflict, "Bundle %s was withdrawn: the newest signed metadata does not name it.", id)
	case int64(b.ExpiresAt) <= s.millis():
		return b, problem.New(problem.Conflict, "Bundle %s has expired. Build and sign a new one.", id)
	}
	return b, nil
}

// Bundles lists a team's, the newest first.
func (s *Service) Bundles(ctx context.Context, team int64) ([]Bundle, error) {
	if err := identity.Require(ctx, team, reading); err != nil {
		return nil, err
	}
	return s.rows().bundles(ctx, team)
}

// DeleteBundle forgets a bundle and, an hour later, what no other one holds.
// The signed metadata goes on naming it; nodes that ask are told it is not there.
func (s *Service) DeleteBundle(ctx context.Context, team int64, id string) error {
	if err := identity.Require(ctx, team, administering); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.rows().bundle(ctx, team, id); err != nil {
			return err
		}
		blobs, err := s.rows().blobsOf(ctx, team, id)
		if err != nil {
			return err
		}
		for _, sha := range blobs {
			if err := s.Blobs.Disown(ctx, team, sha, blobOwner, id); err != nil {
				return err
			}
		}
		if err := s.rows().removeBundle(ctx, team, id); err != nil {
			return err
		}
		if err := s.publish(ctx, team, bundlesTopic, id); err != nil {
			return err
		}
		return s.audit(ctx, team, "edge.bundle.delete", id, "")
	})
}

const (
	bundlesTopic = "edge.bundles"
	// blobOwner is the kind under which bundles own blobs.
	blobOwner = "edge_bundle"
)
