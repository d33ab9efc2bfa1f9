package worker

import (
	"encoding/binary"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// changes tells followers that something in a container's folder changed. One
// inotify instance serves all: the kernel allows a user only 128 of them.
type changes struct {
	file *os.File
	mu   sync.Mutex
	dirs map[string]*watched
	byWD map[int32]*watched
}

type watched struct {
	dir  string
	wd   int32
	subs map[chan struct{}]bool
}

func watchChanges() (*changes, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, err
	}
	c := &changes{file: os.NewFile(uintptr(fd), "inotify"), dirs: map[string]*watched{}, byWD: map[int32]*watched{}}
	go c.read()
	return c, nil
}

func (c *changes) close() error { return c.file.Close() }

// subscribe returns a channel that holds a token whenever something changed since
// the last look, and the function that ends it.
func (c *changes) subscribe(dir string) (<-chan struct{}, func(), error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.dirs[dir]
	if w == nil {
		raw, err := c.file.SyscallConn()
		if err != nil {
			return nil, nil, err
		}
		var wd int
		var addErr error
		if err := raw.Control(func(fd uintptr) {
			wd, addErr = unix.InotifyAddWatch(int(fd), dir, unix.IN_MODIFY|unix.IN_MOVED_TO|unix.IN_DELETE_SELF|unix.IN_ONLYDIR)
		}); err != nil {
			return nil, nil, err
		}
		if addErr != nil {
			return nil, nil, addErr
		}
		w = &watched{dir: dir, wd: int32(wd), subs: map[chan struct{}]bool{}}
		c.dirs[dir], c.byWD[w.wd] = w, w
	}
	ch := make(chan struct{}, 1)
	w.subs[ch] = true
	return ch, func() { c.leave(w, ch) }, nil
}

func (c *changes) leave(w *watched, ch chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(w.subs, ch)
	if len(w.subs) > 0 || c.byWD[w.wd] != w {
		return
	}
	c.forget(w)
	if raw, err := c.file.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_, _ = unix.InotifyRmWatch(int(fd), uint32(w.wd)) // the folder may be gone already
		})
	}
}

func (c *changes) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.file.Read(buf)
		if err != nil {
			return // closed
		}
		c.mu.Lock()
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			c.tell(int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:]))
			b = b[min(len(b), unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(b[12:]))):]
		}
		c.mu.Unlock()
	}
}

func (c *changes) tell(wd int32, mask uint32) {
	w := c.byWD[wd]
	if w == nil {
		return
	}
	for ch := range w.subs {
		select {
		case ch <- struct{}{}:
		default: // a token is waiting already
		}
	}
	if mask&unix.IN_IGNORED != 0 {
		c.forget(w) // the folder is gone; a new one of the name needs a new watch
	}
}

func (c *changes) forget(w *watched) {
	delete(c.byWD, w.wd)
	if c.dirs[w.dir] == w {
		delete(c.dirs, w.dir)
	}
}
