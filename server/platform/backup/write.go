package backup

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/signalbox/signalbox/server/platform/secrets"
)

// sealedFor is the table that archives' keys are sealed for; it is no table.
const sealedFor = "backup"

// partial ends the name of an archive that is being made.
const partial = ".partial"

// Writer makes an archive. Finish makes it whole; until then it lies under another name.
type Writer struct {
	// Header is the one that was written, with the archive's key.
	Header Header

	path   string
	file   *os.File
	frames *frameWriter
	zstd   *zstd.Encoder
	parts  []Part
}

// Create begins an archive at path, where nothing may be yet.
func Create(path string, head Header, box *secrets.Box) (*Writer, error) {
	if _, err := os.Stat(path); err == nil {
		return nil, fmt.Errorf("%s is there already", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for backups: %w", err)
	}
	key := make([]byte, 32)
	rand.Read(key) // never fails
	head.Key = box.Seal(sealedFor, head.ID, key)
	line, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	first := append([]byte(magic), append(line, '\n')...)
	seal, err := newSealer(key, first)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the archive: %w", err)
	}
	out := bufio.NewWriterSize(f, 256<<10)
	w := &Writer{Header: head, path: path, file: f, frames: &frameWriter{sealer: seal, out: out}}
	if _, err := out.Write(first); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	// One goroutine: a backup should leave the processor to those it saves.
	w.zstd, err = zstd.NewWriter(io.Discard, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return w, nil
}

// measured counts and hashes what passes.
type measured struct {
	out  io.Writer
	hash hash.Hash
	size int64
}

func (m *measured) Write(p []byte) (int, error) {
	n, err := m.out.Write(p)
	m.hash.Write(p[:n])
	m.size += int64(n)
	return n, err
}

// Add writes one part; write gives its content.
func (w *Writer) Add(head PartHead, write func(io.Writer) error) (Part, error) {
	raw, err := json.Marshal(head)
	if err != nil {
		return Part{}, err
	}
	if err := w.frames.frame(frameBegin, raw); err != nil {
		return Part{}, fmt.Errorf("write the archive: %w", err)
	}
	data := &dataWriter{to: w.frames, buf: make([]byte, 0, maxPayload)}
	m := &measured{out: data, hash: sha256.New()}
	if head.Zstd {
		w.zstd.Reset(data)
		m.out = w.zstd
	}
	err = write(m)
	if err == nil && head.Zstd {
		err = w.zstd.Close()
	}
	if err == nil {
		err = data.flush()
	}
	if err != nil {
		return Part{}, fmt.Errorf("write the part %s: %w", head.Name, err)
	}
	part := Part{Name: head.Name, Size: m.size, SHA256: hex.EncodeToString(m.hash.Sum(nil))}
	if raw, err = json.Marshal(part); err != nil {
		return Part{}, err
	}
	w.parts = append(w.parts, part)
	return part, w.frames.frame(frameEnd, raw)
}

// Finish writes the manifest with the parts filled in, makes the archive durable and
// gives it its name. It returns the manifest and the archive's size.
func (w *Writer) Finish(m Manifest, at time.Time) (Manifest, int64, error) {
	m.Finished, m.Parts = at.UTC(), w.parts
	_, err := w.Add(PartHead{Name: manifestPart, Size: -1, Zstd: true}, func(out io.Writer) error { return json.NewEncoder(out).Encode(m) })
	if err == nil {
		err = w.frames.frame(frameDone, nil)
	}
	if err = errors.Join(err, w.frames.out.Flush(), w.file.Sync()); err != nil {
		return m, 0, errors.Join(fmt.Errorf("write the archive: %w", err), w.Abort())
	}
	info, err := w.file.Stat()
	if err = errors.Join(err, w.file.Close()); err != nil {
		return m, 0, errors.Join(err, os.Remove(w.path+partial))
	}
	if err := os.Rename(w.path+partial, w.path); err != nil {
		return m, 0, fmt.Errorf("name the archive: %w", err)
	}
	return m, info.Size(), syncFolder(filepath.Dir(w.path))
}

// Abort removes what was written.
func (w *Writer) Abort() error {
	return errors.Join(w.file.Close(), os.Remove(w.path+partial))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
