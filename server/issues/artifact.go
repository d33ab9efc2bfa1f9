package issues

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/issues/sourcemap"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// The kinds of artifacts.
const (
	kindBundle    = "bundle"
	kindDebugFile = "debug_file"
	artifactOwner = "issues_artifact"
	// keepArtifacts is how long one is kept that no event has needed.
	keepArtifacts = 90 * 24 * time.Hour
)

// assembly is what a client wants put together.
type assembly struct {
	Checksum      string
	Chunks        []string
	Projects      []Project
	Kind          string
	Name          string
	Release, Dist string
	DebugID       string
}

// assembled is the answer: state is not_found, ok or error.
type assembled struct {
	State   string
	Missing []string
	Detail  string
}

func (a assembly) check() error {
	switch {
	case !validSHA1(a.Checksum):
		return problem.FieldError("checksum", "is no SHA-1")
	case len(a.Chunks) > maxChunks:
		return problem.FieldError("chunks", "are more than %d", maxChunks)
	case len(a.Projects) == 0:
		return problem.FieldError("projects", "say for which project this is")
	case len(a.Release) > maxVersion || len(a.Dist) > 64:
		return problem.FieldError("version", "is too long")
	}
	return nil
}

// assemble puts chunks together, checks the whole and keeps it; asked again it
// finds that it is there. What is wrong with the file is in the answer, not an error.
func (s *Service) assemble(ctx context.Context, a assembly) (assembled, error) {
	if err := a.check(); err != nil {
		return assembled{}, err
	}
	there, err := s.rows().hasArtifact(ctx, a)
	if err != nil {
		return assembled{}, err
	}
	if there {
		return assembled{State: "ok", Missing: []string{}}, nil
	}
	team := a.Projects[0].Team
	missing, chunks, err := s.missingChunks(ctx, team, a.Chunks)
	if err != nil || len(missing) > 0 || len(a.Chunks) == 0 {
		return assembled{State: "not_found", Missing: missing}, err
	}
	f, err := s.joinChunks(ctx, team, a.Chunks, chunks)
	if err != nil {
		return assembled{}, err
	}
	defer os.Remove(f.Name()) // the next start removes what this cannot
	defer f.Close()
	err = s.keepArtifact(ctx, a, f)
	var wrong *sourcemap.MalformedError
	if errors.As(err, &wrong) || errors.Is(err, sourcemap.ErrTooLarge) || errors.Is(err, errChecksum) {
		return assembled{State: "error", Missing: []string{}, Detail: err.Error()}, nil
	}
	return assembled{State: "ok", Missing: []string{}}, err
}

var errChecksum = errors.New("the whole does not match its checksum")

// temporary makes a file beside the spool, where there is room for uploads.
func (s *Service) temporary() (*os.File, error) {
	dir := filepath.Join(filepath.Dir(s.Dir), "assemble")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, "part-*")
}

// dropTemporary removes what a crash left there.
func (s *Service) dropTemporary() error {
	left, err := filepath.Glob(filepath.Join(filepath.Dir(s.Dir), "assemble", "part-*"))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

func (s *Service) joinChunks(ctx context.Context, team int64, order []string, chunks map[string]chunkRow) (f *os.File, err error) {
	if f, err = s.temporary(); err != nil {
		return nil, fmt.Errorf("make a file to assemble: %w", err)
	}
	for _, name := range order {
		if err = s.copyBlob(ctx, team, chunks[name].SHA256, f); err != nil {
			return nil, errors.Join(fmt.Errorf("assemble: %w", err), f.Close(), os.Remove(f.Name()))
		}
	}
	return f, nil
}

func (s *Service) copyBlob(ctx context.Context, team int64, sha string, into io.Writer) error {
	r, _, err := s.Blobs.Open(ctx, team, sha)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(into, r)
	return err
}

// keepArtifact checks a whole file and stores it with its directory.
func (s *Service) keepArtifact(ctx context.Context, a assembly, f *os.File) error {
	size, err := fileSum(f, a.Checksum)
	if err != nil {
		return err
	}
	var bundle sourcemap.Bundle
	if a.Kind == kindBundle {
		if bundle, err = sourcemap.ReadBundle(f, size); err != nil {
			return err
		}
		a.DebugID = bundle.DebugID
		if a.Release == "" {
			a.Release, a.Dist = clipText(bundle.Release, maxVersion), clipText(bundle.Dist, 64)
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	ref, err := s.Blobs.Put(ctx, a.Projects[0].Team, f, maxUpload)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, p := range a.Projects {
			row := artifactRow{TeamID: p.Team, ProjectID: p.ID, Kind: a.Kind, Checksum: a.Checksum, SHA256: ref.SHA256, Size: ref.Size, Name: clipText(a.Name, 300),
				Release: a.Release, Dist: a.Dist, DebugID: a.DebugID, Files: int64(len(bundle.Files)), CreatedAt: s.millis(), UsedAt: s.millis()}
			id, err := s.rows().insertArtifact(ctx, row)
			if err != nil || id == 0 {
				return err
			}
			if err := s.rows().insertArtifactFiles(ctx, id, p.ID, bundle.Files); err != nil {
				return err
			}
			if err := s.Blobs.Own(ctx, p.Team, ref.SHA256, artifactOwner, strconv.FormatInt(id, 10)); err != nil {
				return err
			}
			if err := s.DB.Notify(ctx, artifactChannel, strconv.FormatInt(p.ID, 10)); err != nil {
				return err
			}
		}
		return nil
	})
}

// fileSum is the size of a file whose SHA-1 must be sum.
func fileSum(f *os.File, sum string) (size int64, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	hash := sha1.New()
	if size, err = io.Copy(hash, f); err != nil {
		return 0, err
	}
	if hex.EncodeToString(hash.Sum(nil)) != sum {
		return 0, errChecksum
	}
	return size, nil
}

// readBundled reads one file of a stored bundle.
func (s *Service) readBundled(ctx context.Context, team int64, sha, path string) ([]byte, error) {
	r, ref, err := s.Blobs.Open(ctx, team, sha)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	at, random := r.(io.ReaderAt)
	if !random { // in S3: bring it here first
		f, err := s.temporary()
		if err != nil {
			return nil, err
		}
		defer os.Remove(f.Name()) // the next start removes what this cannot
		defer f.Close()
		if _, err := io.Copy(f, r); err != nil {
			return nil, err
		}
		at = f
	}
	b, err := sourcemap.ReadBundle(at, ref.Size)
	if err != nil {
		return nil, err
	}
	return b.Read(path, maxMapFile)
}

// maxMapFile bounds one unpacked source map.
const maxMapFile = 128 << 20

// removeArtifacts removes uploads and lets go of their blobs.
func (s *Service) removeArtifacts(ctx context.Context, list []artifactRow) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, a := range list {
			if err := s.Blobs.Disown(ctx, a.TeamID, a.SHA256, artifactOwner, strconv.FormatInt(a.ID, 10)); err != nil {
				return err
			}
			if err := s.rows().removeArtifact(ctx, a.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweepArtifacts removes those of deleted projects and those that no event has needed for long.
func (s *Service) sweepArtifacts(ctx context.Context) error {
	for {
		list, err := s.rows().oldArtifacts(ctx, s.Now().Add(-keepArtifacts).UnixMilli(), sweepStep)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := s.removeArtifacts(ctx, list); err != nil {
			return err
		}
	}
}

// bundleFileRow is what the directory of an upload says of a file.
func bundleFileRow(artifact, project int64, f sourcemap.BundleFile) artifactFileRow {
	return artifactFileRow{ArtifactID: artifact, ProjectID: project, Path: f.Path, URL: clipText(f.URL, 1000), Kind: f.Type,
		DebugID: sentry.NormalDebugID(f.DebugID), SourceMap: clipText(f.SourceMap, 1000)}
}

// wantedFile leaves out what is never looked for: sources are in their maps.
func wantedFile(f sourcemap.BundleFile) bool {
	return slices.Contains([]string{sourcemap.TypeMinified, sourcemap.TypeSourceMap}, f.Type)
}
