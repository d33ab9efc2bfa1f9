package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// content opens a blob of a team's bundles.
func (s *Service) content(ctx context.Context, team int64, sha string) (io.ReadCloser, int64, error) {
	there, err := s.rows().hasBlob(ctx, team, sha)
	if err != nil {
		return nil, 0, err
	}
	if !there {
		return nil, 0, problem.New(problem.NotFound, "No bundle has a file %.64s.", sha)
	}
	r, ref, err := s.Blobs.Open(ctx, team, sha)
	return r, ref.Size, err
}

// manifest is a bundle's, as it was signed.
func (s *Service) manifest(ctx context.Context, b Bundle) (json.RawMessage, error) {
	r, size, err := s.content(ctx, b.Team, b.ManifestSHA256)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	raw, err := io.ReadAll(io.LimitReader(r, size))
	if err != nil {
		return nil, fmt.Errorf("read the manifest of %s: %w", b.ID, err)
	}
	return raw, nil
}

// file is one document of a team's metadata by the name that nodes ask for.
func (t *trusted) file(name string) ([]byte, error) {
	missing := problem.New(problem.NotFound, "There is no %.40s yet.", name)
	var raw []byte
	switch name {
	case "timestamp.json":
		raw = t.set.Timestamp
	case "snapshot.json":
		raw = t.set.Snapshot
	case "targets.json":
		raw = t.set.Targets
	case "root.json":
		if len(t.set.Roots) > 0 {
			raw = t.set.Roots[len(t.set.Roots)-1]
		}
	default:
		number, isRoot := strings.CutSuffix(name, ".root.json")
		version, err := strconv.ParseInt(number, 10, 64)
		if !isRoot || err != nil {
			return nil, missing
		}
		i := slices.IndexFunc(t.set.Roots, func(root []byte) bool {
			d, _, err := bundle.RootRoles(root)
			return err == nil && d.Version == version
		})
		if i >= 0 {
			raw = t.set.Roots[i]
		}
	}
	if len(raw) == 0 {
		return nil, missing
	}
	return raw, nil
}

// span is the part of a file that a Range header asks for. Only one part is
// answered; what is not understood is answered whole, as HTTP allows.
func span(header string, size int64) (from, length int64, partial bool, err error) {
	text, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(text, "-")
	if !ok || !dash || size == 0 || strings.Contains(text, ",") {
		return 0, size, false, nil
	}
	outside := problem.New(problem.Invalid, "The file has %d bytes.", size)
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n <= 0 {
			return 0, size, false, nil
		}
		n = min(n, size)
		return size - n, n, true, nil
	}
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := size-1, error(nil)
	if last != "" {
		to, err2 = strconv.ParseInt(last, 10, 64)
	}
	if err1 != nil || err2 != nil || from < 0 || to < from && last != "" {
		return 0, size, false, nil
	}
	if from >= size {
		return 0, 0, false, outside
	}
	return from, min(to, size-1) - from + 1, true, nil
}
