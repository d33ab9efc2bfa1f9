package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A write-ahead file is frames, one after the other:
//
//	magic (4) · length of the payload (4) · number of the first line (8) · checksum of the payload (4) · checksum of these 20 bytes (4) · payload
//
// all little-endian, checksums CRC-32C. The header has a checksum of its own so that,
// when a payload is damaged, the frames behind it are still found.
const frameMagic = 0x57414c31

// maxFrame bounds what a damaged length can make us allocate, and so what one Append may bring.
const maxFrame = 64 << 20

func sealFrame(frame []byte, first uint64) {
	binary.LittleEndian.PutUint32(frame[0:], frameMagic)
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(frame)-frameHead))
	binary.LittleEndian.PutUint64(frame[8:], first)
	binary.LittleEndian.PutUint32(frame[16:], crc32.Checksum(frame[frameHead:], castagnoli))
	binary.LittleEndian.PutUint32(frame[20:], crc32.Checksum(frame[:20], castagnoli))
}

// frameHeader reads a header; ok is false when its checksum or its length is wrong.
func frameHeader(b []byte) (length int, first uint64, sum uint32, ok bool) {
	if len(b) < frameHead || binary.LittleEndian.Uint32(b) != frameMagic ||
		crc32.Checksum(b[:20], castagnoli) != binary.LittleEndian.Uint32(b[20:]) {
		return 0, 0, 0, false
	}
	length = int(binary.LittleEndian.Uint32(b[4:]))
	return length, binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint32(b[16:]), length <= maxFrame
}

// readFrames calls fn with every sound frame of a write-ahead file's bytes. What stands at
// the end and is no whole frame is the torn tail of a crash; torn is where it begins.
// damaged counts the places before the last sound frame where something was unreadable:
// that is no crash but a fault of the disk, and what lay there was acknowledged.
func readFrames(data []byte, fn func(frame []byte, first uint64)) (torn int, damaged int) {
	pos, bad := 0, false
	for pos < len(data) {
		length, first, sum, ok := frameHeader(data[pos:])
		whole := ok && pos+frameHead+length <= len(data)
		if whole && crc32.Checksum(data[pos+frameHead:pos+frameHead+length], castagnoli) == sum {
			if bad {
				damaged++
			}
			end := pos + frameHead + length
			fn(data[pos:end:end], first)
			pos, torn, bad = end, end, false
			continue
		}
		bad = true
		next := nextMagic(data, pos+1)
		if whole && next > pos+frameHead+length { // the header is sound: the next frame is where it says
			next = pos + frameHead + length
		}
		pos = next
	}
	return torn, damaged
}

var magicBytes = binary.LittleEndian.AppendUint32(nil, frameMagic)

func nextMagic(data []byte, from int) int {
	if i := bytes.Index(data[min(from, len(data)):], magicBytes); i >= 0 {
		return from + i
	}
	return len(data)
}

// wal is the write-ahead file being written. The committer alone uses it.
type wal struct {
	dir    string
	number uint64
	file   *os.File
	size   int64 // of what is committed; the file may be longer after a failed write
}

func walName(number uint64) string { return fmt.Sprintf("%012d.wal", number) }

// walFiles lists the write-ahead files, oldest first.
func walFiles(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the write-ahead files: %w", err)
	}
	var numbers []uint64
	for _, e := range entries {
		head, ok := strings.CutSuffix(e.Name(), ".wal")
		if n, err := strconv.ParseUint(head, 10, 64); ok && err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func createWAL(dir string, number uint64) (*wal, error) {
	f, err := os.OpenFile(filepath.Join(dir, walName(number)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, fmt.Errorf("make a write-ahead file: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &wal{dir: dir, number: number, file: f}, nil
}

// commit writes frames and waits until the disk has them. When that fails, what was
// written is cut off again, so that nothing unacknowledged lies before what follows.
func (w *wal) commit(frames [][]byte) error {
	end := w.size
	for _, frame := range frames {
		if _, err := w.file.WriteAt(frame, end); err != nil {
			return errors.Join(fmt.Errorf("write ahead: %w", err), w.file.Truncate(w.size))
		}
		end += int64(len(frame))
	}
	if err := unix.Fdatasync(int(w.file.Fd())); err != nil {
		return errors.Join(fmt.Errorf("sync the write-ahead file: %w", err), w.file.Truncate(w.size))
	}
	w.size = end
	return nil
}

func (w *wal) close() error { return w.file.Close() }

// syncDir makes names in a folder durable: a new file survives a crash only with its folder.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder to sync: %w", err)
	}
	if err := d.Sync(); err != nil {
		return errors.Join(fmt.Errorf("sync folder: %w", err), d.Close())
	}
	return d.Close()
}

func diskFree(dir string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, fmt.Errorf("look at the disk: %w", err)
	}
	return int64(st.Bavail) * st.Bsize, int64(st.Blocks) * st.Bsize, nil
}
