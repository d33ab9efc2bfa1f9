package issues

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1" // the clients' protocol names pieces by SHA-1; blobs are addressed by SHA-256
	"encoding/hex"
	"io"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// What an upload may be. The chunk size is a power of two, as old clients insist.
const (
	chunkSize       = 8 << 20
	chunksAtOnce    = 64
	maxChunkRequest = 32 << 20
	maxUpload       = 2 << 30
	maxChunks       = maxUpload/chunkSize + 1
	chunkKind       = "issues_chunk"
	keepChunks      = 24 * time.Hour
)

func validSHA1(text string) bool {
	raw, err := hex.DecodeString(text)
	return err == nil && len(raw) == sha1.Size && hex.EncodeToString(raw) == text
}

// storeChunk keeps one piece, whose name says what its SHA-1 is.
func (s *Service) storeChunk(ctx context.Context, team int64, name string, r io.Reader, zipped bool) error {
	if !validSHA1(name) {
		return problem.New(problem.Invalid, "A chunk's file name is its SHA-1, not %.60q.", name)
	}
	if zipped {
		z, err := gzip.NewReader(r)
		if err != nil {
			return problem.Wrap(err, problem.Invalid, "Chunk %s is not compressed with gzip.", name)
		}
		r = z
	}
	raw, err := io.ReadAll(io.LimitReader(r, chunkSize+1))
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "Chunk %s could not be read to its end.", name)
	}
	if len(raw) > chunkSize {
		return problem.New(problem.TooLarge, "Chunk %s is larger than %d bytes.", name, chunkSize)
	}
	if sum := sha1.Sum(raw); hex.EncodeToString(sum[:]) != name {
		return problem.New(problem.Invalid, "Chunk %s does not match its checksum.", name)
	}
	ref, err := s.Blobs.Put(ctx, team, bytes.NewReader(raw), chunkSize)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.rows().insertChunk(ctx, chunkRow{team, name, ref.SHA256, ref.Size, s.millis()}); err != nil {
			return err
		}
		return s.Blobs.Own(ctx, team, ref.SHA256, chunkKind, name)
	})
}

// missingChunks are those of the list that have not been uploaded.
func (s *Service) missingChunks(ctx context.Context, team int64, list []string) (missing []string, found map[string]chunkRow, err error) {
	for _, name := range list {
		if !validSHA1(name) {
			return nil, nil, problem.FieldError("chunks", "%.60q is no SHA-1", name)
		}
	}
	if found, err = s.rows().chunks(ctx, team, list); err != nil {
		return nil, nil, err
	}
	missing = []string{}
	seen := map[string]bool{}
	for _, name := range list {
		if _, there := found[name]; !there && !seen[name] {
			seen[name] = true
			missing = append(missing, name)
		}
	}
	return missing, found, nil
}

// sweepChunks removes pieces a day after they came: whatever they were for has been assembled.
func (s *Service) sweepChunks(ctx context.Context) error {
	for {
		list, err := s.rows().oldChunks(ctx, s.Now().Add(-keepChunks).UnixMilli(), sweepStep)
		if err != nil || len(list) == 0 {
			return err
		}
		err = s.DB.Tx(ctx, func(ctx context.Context) error {
			for _, c := range list {
				if err := s.Blobs.Disown(ctx, c.TeamID, c.SHA256, chunkKind, c.SHA1); err != nil {
					return err
				}
				if err := s.rows().removeChunk(ctx, c); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}
