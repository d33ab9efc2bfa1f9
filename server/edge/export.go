package edge

import (
	"context"
	"io"
	"io/fs"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// ExportBundle writes a published bundle as one file, with the metadata as it is
// now: the nodes that it is carried to learn of new roots and withdrawals by it.
func (s *Service) ExportBundle(ctx context.Context, b Bundle, w io.Writer) error {
	raw, err := s.manifest(ctx, b)
	if err != nil {
		return err
	}
	m, err := bundle.ParseManifest(raw)
	if err != nil {
		return err
	}
	t, err := s.trusted(ctx, b.Team)
	if err != nil {
		return err
	}
	sbom, size, err := s.content(ctx, b.Team, b.SBOMSHA256)
	if err != nil {
		return err
	}
	defer sbom.Close()
	components, err := io.ReadAll(io.LimitReader(sbom, size))
	if err != nil {
		return err
	}
	return bundle.Write(w, bundle.Content{Manifest: m, SBOM: components, Set: t.set, Blob: func(sha string) (io.ReadCloser, error) {
		r, _, err := s.content(ctx, b.Team, sha)
		if problem.Is(err, problem.NotFound) {
			err = fs.ErrNotExist // a delta that was not published
		}
		return r, err
	}})
}
