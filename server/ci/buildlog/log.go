package buildlog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
)

// ErrFull is wrapped by Append's error when the disk has no room. Nothing of that
// call was kept; it may be repeated once there is room again.
var ErrFull = errors.New("the disk that holds build logs is full")

// ErrBusy is wrapped by Append's error when another process writes this log.
var ErrBusy = errors.New("another process is writing this log")

// ErrRemoved is returned by Append after the log was removed.
var ErrRemoved = errors.New("the log was removed")

// Log is one build's events. All methods are safe for concurrent use.
type Log struct {
	store *Store
	build int64
	path  string

	mu     sync.RWMutex
	file   *os.File // nil until the file exists
	reader *os.File // what file was before this process wrote: somebody may still read from it
	writer bool     // holds the lock, appends allowed
	idx    *index
	// torn says that bytes may lie behind idx.Size that are no record.
	torn    bool
	removed bool
	savedAt int64 // idx.Size of the sidecar on disk
	changed chan struct{}

	syncAt  *time.Timer // non-nil while a sync is due
	syncErr error
	enc     []byte

	refs int // guarded by store.mu
}

// Stats are the log's totals.
type Stats struct {
	Events int64
	Lines  int64
	Bytes  int64
}

// Build is the id that the log was opened with.
func (l *Log) Build() int64 { return l.build }

// load opens the file if there is one and reads what its index does not know yet.
func (l *Log) load() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.openFile(os.O_RDONLY); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return l.refresh()
}

func (l *Log) openFile(flag int) error {
	if l.file != nil {
		return nil
	}
	file, err := os.OpenFile(l.path, flag, 0o600)
	if err != nil {
		return fmt.Errorf("open log of build %d: %w", l.build, err)
	}
	l.file = file
	return nil
}

// refresh reads records that were added to the file since; by another process, or
// before this one opened it.
func (l *Log) refresh() error {
	if l.file == nil {
		return nil
	}
	info, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("look at log of build %d: %w", l.build, err)
	}
	if l.idx.Events == 0 {
		if err := l.checkMagic(info.Size()); err != nil {
			return err
		}
		if found := loadIndex(indexPath(l.path), info.Size()); found != nil {
			l.idx, l.savedAt = found, found.Size
		}
	}
	before := l.idx.Events
	scan := newScanner(l.file, l.idx.Size, info.Size())
	for err = scan.advance(); err == nil; err = scan.advance() {
		l.idx.add(&scan.rec, scan.next)
	}
	l.torn = info.Size() != l.idx.Size
	if l.idx.Events != before {
		l.wake()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, errDamaged) {
		return nil
	}
	return fmt.Errorf("read log of build %d: %w", l.build, err)
}

func (l *Log) checkMagic(size int64) error {
	head := make([]byte, len(fileMagic))
	if size < int64(len(head)) {
		return nil // being created, or cut off before its first record
	}
	if _, err := l.file.ReadAt(head, 0); err != nil {
		return fmt.Errorf("read log of build %d: %w", l.build, err)
	}
	if string(head) != fileMagic {
		return fmt.Errorf("log of build %d: the file is not a build log of this version", l.build)
	}
	return nil
}

// wake tells followers to look again. The caller holds mu.
func (l *Log) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Stats counts events, lines and bytes.
func (l *Log) Stats() Stats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return Stats{Events: l.idx.Events, Lines: l.idx.Lines, Bytes: l.idx.Size}
}

// Sections lists what each origin contributed, in the order of their first events.
func (l *Log) Sections() []Section {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.idx.sections()
}

// Append writes records at the end of the log, all or none, and then wakes the
// followers. It returns the id of the first. A payload of several lines becomes
// several events; an empty one becomes none.
func (l *Log) Append(records ...Record) (first int64, err error) {
	records = splitLines(records)
	l.mu.Lock()
	defer l.mu.Unlock()
	first = l.idx.Events
	if len(records) == 0 {
		return first, nil
	}
	if err := l.beginWrite(); err != nil {
		return 0, err
	}
	first = l.idx.Events
	durable := false
	l.enc = l.enc[:0]
	for i := range records {
		if l.enc, err = appendRecord(l.enc, &records[i]); err != nil {
			return 0, err
		}
		durable = durable || records[i].Kind == KindStatus
	}
	if err := l.write(l.enc); err != nil {
		return 0, err
	}
	if cap(l.enc) > 1<<20 {
		l.enc = nil
	}
	l.wake()
	return first, l.scheduleSync(durable)
}

// beginWrite makes this process the log's writer and the file end at its last record.
func (l *Log) beginWrite() error {
	if l.removed {
		return ErrRemoved
	}
	if err := l.syncErr; err != nil {
		l.syncErr = nil
		return err
	}
	if !l.writer {
		if err := l.becomeWriter(); err != nil {
			return err
		}
	}
	if !l.torn {
		return nil
	}
	if err := l.file.Truncate(l.idx.Size); err != nil {
		return l.writeError(err)
	}
	if l.idx.Events == 0 {
		if _, err := l.file.WriteAt([]byte(fileMagic), 0); err != nil {
			return l.writeError(err)
		}
	}
	l.torn = false
	return nil
}

func (l *Log) becomeWriter() error {
	if err := os.MkdirAll(dirOf(l.path), 0o700); err != nil {
		return l.writeError(err)
	}
	file, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return l.writeError(err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("write log of build %d: %w", l.build, ErrBusy), file.Close())
	}
	l.reader, l.file, l.writer = l.file, file, true
	if err := l.refresh(); err != nil {
		return err
	}
	return syncDir(dirOf(l.path))
}

// write puts the encoded records behind the last one and takes them into the index.
func (l *Log) write(encoded []byte) error {
	start := l.idx.Size
	if _, err := l.file.WriteAt(encoded, start); err != nil {
		l.torn = true
		if cut := l.file.Truncate(start); cut == nil {
			l.torn = false
		}
		return l.writeError(err)
	}
	for at := 0; at < len(encoded); {
		end := at + headerSize + int(uint32At(encoded[at:]))
		var r rawRecord
		if err := decodeBody(encoded[at+headerSize:end], &r); err != nil {
			return fmt.Errorf("write log of build %d: %w", l.build, err)
		}
		l.idx.add(&r, start+int64(end))
		at = end
	}
	return nil
}

func (l *Log) writeError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("write log of build %d: %w (%w)", l.build, ErrFull, err)
	}
	return fmt.Errorf("write log of build %d: %w", l.build, err)
}

// scheduleSync makes the file durable now, or within SyncEvery.
func (l *Log) scheduleSync(now bool) error {
	if now {
		if l.syncAt != nil {
			l.syncAt.Stop()
			l.syncAt = nil
		}
		if err := l.file.Sync(); err != nil {
			return l.writeError(err)
		}
		return nil
	}
	if l.syncAt == nil {
		l.syncAt = time.AfterFunc(l.store.syncEvery(), l.syncLater)
	}
	return nil
}

// syncLater runs without the lock while the disk works, so that appends go on. An
// error is kept for the next Append: there is nobody to tell now.
func (l *Log) syncLater() {
	l.mu.Lock()
	file := l.file
	due := l.syncAt != nil
	l.syncAt = nil
	l.mu.Unlock()
	if !due || file == nil {
		return
	}
	if err := file.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
		l.mu.Lock()
		l.syncErr = l.writeError(err)
		l.mu.Unlock()
	}
}

// release closes the file and leaves an index beside it when that saves time later.
func (l *Log) release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.syncAt != nil {
		l.syncAt.Stop()
		l.syncAt = nil
	}
	if l.file == nil {
		return nil
	}
	var err error
	if l.writer && !l.removed {
		err = l.file.Sync()
	}
	if err == nil && !l.removed && l.idx.Events >= l.store.indexFrom() && l.idx.Size != l.savedAt {
		if err = saveIndex(indexPath(l.path), l.idx); err == nil {
			l.savedAt = l.idx.Size
		}
	}
	err = errors.Join(err, l.file.Close())
	if l.reader != nil {
		err = errors.Join(err, l.reader.Close())
	}
	l.file, l.reader, l.writer = nil, nil, false
	return err
}
