package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// The manifest is lines of JSON, each behind its checksum, only appended to:
//
//	1a2b3c4d {"add":[…],"drop":[…],"wal":[7]}
//
// A line is one step: the segments it adds and drops and the write-ahead files that they
// cover change together. When dropped segments outweigh what there is, the file is
// written anew beside the old one and renamed over it.
const manifestName = "manifest"

// edit is one line of the manifest.
type edit struct {
	Add  []segmentInfo `json:"add,omitempty"`
	Drop []uint64      `json:"drop,omitempty"`
	WAL  []uint64      `json:"wal,omitempty"`  // write-ahead files whose lines are all in segments now
	Next uint64        `json:"next,omitempty"` // the next sequence number, at least
	ID   uint64        `json:"id,omitempty"`   // the last number given to a segment
}

// segmentInfo is what is known of a segment without opening it.
type segmentInfo struct {
	ID      uint64 `json:"id"`
	Team    int64  `json:"team"`
	Day     int32  `json:"day"` // since 1970, UTC
	MinT    int64  `json:"min"`
	MaxT    int64  `json:"max"`
	Rows    int64  `json:"rows"`
	Raw     int64  `json:"raw"`   // bytes of the lines as they came, about
	Bytes   int64  `json:"bytes"` // on disk, both files
	LastSeq uint64 `json:"seq"`   // the highest sequence number in it
}

// manifestState is the sum of a manifest's lines.
type manifestState struct {
	segments map[uint64]segmentInfo
	wal      map[uint64]bool
	next     uint64
	lastID   uint64
	lines    int
}

func (m *manifestState) apply(e edit) {
	for _, info := range e.Add {
		m.segments[info.ID] = info
		m.lastID = max(m.lastID, info.ID)
	}
	for _, id := range e.Drop {
		delete(m.segments, id)
	}
	for _, n := range e.WAL {
		m.wal[n] = true
	}
	m.next, m.lastID = max(m.next, e.Next), max(m.lastID, e.ID)
	m.lines++
}

// readManifest sums up a manifest's bytes. A torn last line is a crash during an append and
// no fault; anything else that fails its checksum is errDamaged.
func readManifest(data []byte) (*manifestState, int, error) {
	state := &manifestState{segments: map[uint64]segmentInfo{}, wal: map[uint64]bool{}}
	sound := 0
	for sound < len(data) {
		end := bytes.IndexByte(data[sound:], '\n')
		if end < 0 {
			return state, sound, nil
		}
		line := data[sound : sound+end]
		e, err := parseEdit(line)
		if err != nil {
			return state, sound, err
		}
		state.apply(e)
		sound += end + 1
	}
	return state, sound, nil
}

func parseEdit(line []byte) (edit, error) {
	var e edit
	if len(line) < 10 || line[8] != ' ' {
		return e, fmt.Errorf("a line of the manifest: %w", errDamaged)
	}
	sum, err := strconv.ParseUint(string(line[:8]), 16, 32)
	if err != nil || uint32(sum) != crc32.Checksum(line[9:], castagnoli) {
		return e, fmt.Errorf("a line of the manifest: %w", errDamaged)
	}
	if err := json.Unmarshal(line[9:], &e); err != nil {
		return e, fmt.Errorf("a line of the manifest: %w", errors.Join(errDamaged, err))
	}
	return e, nil
}

func formatEdit(e edit) ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode a line of the manifest: %w", err)
	}
	line := fmt.Appendf(nil, "%08x ", crc32.Checksum(body, castagnoli))
	return append(append(line, body...), '\n'), nil
}

// manifest is the file being appended to. Its caller holds Store.publish.
type manifest struct {
	dir   string
	file  *os.File
	size  int64
	state *manifestState
}

// openManifest reads the manifest; what is torn off at its end is removed. When it is
// damaged the caller gets errDamaged beside a manifest that it must fill anew.
func openManifest(dir string) (*manifest, error) {
	path := filepath.Join(dir, manifestName)
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	state, sound, damage := readManifest(data)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open the manifest: %w", err)
	}
	m := &manifest{dir: dir, file: f, size: int64(sound), state: state}
	if damage != nil {
		return m, damage
	}
	if err := f.Truncate(m.size); err != nil {
		return nil, errors.Join(fmt.Errorf("cut the manifest: %w", err), f.Close())
	}
	return m, syncDir(dir)
}

// write makes a step durable. The state follows only when the disk has it.
func (m *manifest) write(e edit) error {
	if m.state.lines > 64 && m.state.lines > 4*len(m.state.segments) {
		if err := m.compact(); err != nil {
			return err
		}
	}
	line, err := formatEdit(e)
	if err != nil {
		return err
	}
	if _, err := m.file.WriteAt(line, m.size); err != nil {
		return errors.Join(fmt.Errorf("write the manifest: %w", err), m.file.Truncate(m.size))
	}
	if err := unix.Fdatasync(int(m.file.Fd())); err != nil {
		return errors.Join(fmt.Errorf("sync the manifest: %w", err), m.file.Truncate(m.size))
	}
	m.size += int64(len(line))
	m.state.apply(e)
	return nil
}

// compact writes the manifest anew, one line a segment.
func (m *manifest) compact() error {
	tmp := filepath.Join(m.dir, manifestName+".tmp")
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o640)
	if err != nil {
		return fmt.Errorf("write the manifest anew: %w", err)
	}
	w := bufio.NewWriter(f)
	head := edit{Next: m.state.next, ID: m.state.lastID}
	present, err := walFiles(filepath.Join(m.dir, "wal"))
	if err != nil {
		return errors.Join(err, f.Close())
	}
	for _, n := range present { // what is gone need not be remembered as covered
		if m.state.wal[n] {
			head.WAL = append(head.WAL, n)
		}
	}
	fresh := &manifestState{segments: map[uint64]segmentInfo{}, wal: map[uint64]bool{}}
	edits := []edit{head}
	for _, info := range m.state.segments {
		edits = append(edits, edit{Add: []segmentInfo{info}})
	}
	size := int64(0)
	for _, e := range edits {
		line, err := formatEdit(e)
		if err != nil {
			return errors.Join(err, f.Close())
		}
		n, _ := w.Write(line) // the error stays with the writer until Flush
		size += int64(n)
		fresh.apply(e)
	}
	if err := errors.Join(w.Flush(), f.Sync(), os.Rename(tmp, filepath.Join(m.dir, manifestName))); err != nil {
		return errors.Join(fmt.Errorf("write the manifest anew: %w", err), f.Close())
	}
	if err := syncDir(m.dir); err != nil {
		return errors.Join(err, f.Close())
	}
	old := m.file
	m.file, m.size, m.state = f, size, fresh
	return old.Close()
}

func (m *manifest) close() error { return m.file.Close() }
